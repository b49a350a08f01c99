"""`python -m monitoring archive`, and below it `prune`: options, and what they do."""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from monitoring import retention
from monitoring.archive import Archiver
from monitoring.parts import limits_of
from monitoring.retention import Pruned
from monitoring.settings import MonitoringSettings
from monitoring.whole import whole
from monitoring.windows import day
from stream_app.contract.archive import MANIFESTS
from stream_app.contract.counts import counted
from stream_app.contract.settings import BadSettings, KafkaSettings
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import full_name

TELL_EVERY_S = 5.0
DAY_S = 86_400
ERASE_S = 60.0  # at the end of --once; what is left then, the next archiver does
DAYS_MAX = 36_500
PRUNE_CODES = """\
Whole days only: the day (UTC) on which the broker took a record. Events as sent, models and
alerts (the audit trail) stay unless named with --topic. The manifests stay, and say what was
dropped. It may run beside archivers; the same command again drops nothing more.

exit status: 0 done; 1 an archiver holds the archive and does not let go; 2 wrong input;
  130 stopped by Ctrl-C: what was dropped is told by the manifests, the same command goes on
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    archive = commands.add_parser(
        "archive",
        help="write events as sent, predictions, outcomes, rejects, alerts, models to Parquet",
        description="Joins the group <prefix>.archiver and writes until stopped (SIGTERM or"
        " Ctrl-C: publishes what it holds, exit status 0). Goes on where the archive ends:"
        " nothing is lost or doubled over a crash, or with several archivers. An erasure"
        " takes its listing out of what is there, too.",
    )
    archive.add_argument("--dir", type=Path, help="archive folder (setting archive_dir)")
    until = archive.add_mutually_exclusive_group()
    until.add_argument(
        "--once", action="store_true", help="stop at the end of what is there, and exit"
    )
    until.add_argument(
        "--until-idle", type=_seconds, metavar="S", help="stop when nothing came for S seconds"
    )
    archive.set_defaults(run=_archive)
    _add_prune(archive.add_subparsers(metavar="[prune]"))


def _add_prune(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    prune = actions.add_parser(
        "prune",
        help="drop old days",
        description="Drops old days of the archive.",
        epilog=PRUNE_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    named = sorted(topic.name for topic in retention.TOPICS)
    told = ", ".join(sorted(topic.name for topic in retention.DEFAULT))
    age = prune.add_mutually_exclusive_group(required=True)
    age.add_argument("--before", type=_day, metavar="YYYY-MM-DD", help="days before this one (UTC)")
    age.add_argument(
        "--keep-days", type=whole(0, DAYS_MAX), metavar="N", help="all but today and N days before"
    )
    options = prune.add_argument
    options("--topic", action="append", choices=named, metavar="TOPIC", help=f"default: {told}")
    # None of its own: the default of this parser would overwrite what `archive` was given.
    options("--dir", type=Path, default=argparse.SUPPRESS, help="archive folder")
    options("--dry-run", action="store_true", help="tell what would go, and drop nothing")
    options("--json", action="store_true", help="print one line of JSON")
    prune.set_defaults(run=_prune)


def existing(folder: Path) -> Path:
    """The folder, which must hold an archive.

    Raises
    ------
    BadSettings : it does not
    """
    if not (folder / MANIFESTS).is_dir():
        words = "python -m monitoring archive makes it, once there is a record to keep"
        raise BadSettings(f"no archive in {folder}: {words}")
    return folder


def _archive(given: argparse.Namespace, kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    stop = stop_on_signals()
    archiver = Archiver(
        kafka,
        limits_of(settings),
        given.dir or Path(settings.archive_dir),
        session_timeout_s=settings.session_timeout_s,
        tell=_tell,
    )
    archiver.start()
    enough = _enough(given, archiver)
    told_s, told = time.monotonic(), ""
    while not stop.is_set() and not enough():
        archiver.step()
        if time.monotonic() - told_s >= TELL_EVERY_S and archiver.words() != told:
            told_s, told = time.monotonic(), archiver.words()
            _tell(told)
    archiver.flush()
    _tell(archiver.words())
    if not stop.is_set() and not archiver.erase(ERASE_S):
        _tell("not all that was erased is gone yet: the next archiver goes on")
    archiver.close()
    return 0


def _enough(given: argparse.Namespace, archiver: Archiver) -> Callable[[], bool]:
    if given.once:
        return archiver.was_at_end
    if given.until_idle is not None:
        return lambda: archiver.is_at_end() and archiver.idle_s() >= given.until_idle
    return lambda: False


def _prune(given: argparse.Namespace, kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    root = existing(given.dir or Path(settings.archive_dir))
    now_ms = time.time_ns() // 1_000_000
    before = given.before or day(now_ms - given.keep_days * DAY_MS)
    names = given.topic or [topic.name for topic in retention.DEFAULT]
    topics = [full_name(kafka.prefix, topic) for topic in retention.TOPICS if topic.name in names]
    if not given.dry_run:  # what goes stays told, by its daily figures
        from monitoring import rollup_store  # with pandas, and no other command here needs it

        known, _ = rollup_store.refresh(root, kafka.prefix, rollup_store.load(root))
        rollup_store.save(root, known)
    pruned = retention.prune(root, topics, before, dry_run=given.dry_run)
    if given.json:
        print(msgspec.json.encode(pruned).decode())
    else:
        _tell_pruned(pruned)
    return 0


def _tell_pruned(pruned: Pruned) -> None:
    verb = "would go" if pruned.dry_run else "are gone"
    for topic, sums in sorted(pruned.topics.items()):
        print(
            f"{topic}: {counted(sums.rows, 'row')} in {counted(sums.files, 'file')} ({sums.size_bytes / 1e6:.1f} MB)"
            f" of before {pruned.before} {verb}"
        )


def stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None
    if not 0 < seconds <= DAY_S:
        raise argparse.ArgumentTypeError(f"{text} s: must be above 0, at most {DAY_S:,}")
    return seconds


def _day(text: str) -> str:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: a day such as 2026-01-31 is wanted") from None


def _tell(words: str) -> None:
    print(f"archive: {words}", file=sys.stderr, flush=True)
