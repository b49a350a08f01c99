"""Command line of monitoring: `archive`, `report` and `health`."""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from confluent_kafka import KafkaException
from rich.console import Console

from monitoring import membership, windows
from monitoring import settings as own
from monitoring.archive import Archiver, NoBroker, limits_of
from monitoring.membership import NoMember
from monitoring.settings import MonitoringSettings
from monitoring.windows import BadWindow, Windows
from stream_app.contract.archive import MANIFESTS
from stream_app.contract.markets import MARKETS
from stream_app.contract.rejects import OurFault
from stream_app.contract.settings import BadSettings, KafkaSettings

WRONG_INPUT = 2
FAILED = 1
OUR_FAULT = 70
INTERRUPTED = 130
TELL_EVERY_S = 5.0
DAY_S = 86_400


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; return the exit status."""
    given = _parser().parse_args(arguments)
    try:
        run: Callable[..., int] = given.run
        return run(given, *own.from_environment())
    except (BadSettings, BadWindow) as error:
        return _fail(str(error), WRONG_INPUT)
    except OurFault as error:
        return _fail(str(error), OUR_FAULT)
    except KafkaException as error:
        return _fail(f"broker: {error.args[0].str()}", FAILED)
    except (OSError, NoBroker, NoMember) as error:
        return _fail(str(error), FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m monitoring",
        description="Keeps predictions and their sales as Parquet, and judges them.",
        epilog="Settings: HOUSING_MONITORING_<NAME>, HOUSING_KAFKA_<NAME>, or the file that"
        " HOUSING_CONFIG names (./housing.toml when there is one).",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_archive(commands)
    _add_report(commands)
    health = commands.add_parser(
        "health",
        help="status 0 if an archiver on this host is a member of its group, as a container's probe",
    )
    health.set_defaults(run=_health)
    return parser


def _add_archive(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    archive = commands.add_parser(
        "archive",
        help="write events as sent, predictions, outcomes, rejects, alerts, models to Parquet",
        description="Joins the group <prefix>.archiver and writes until stopped (SIGTERM or"
        " Ctrl-C: publishes what it holds, exit status 0). Goes on where the archive ends:"
        " nothing is lost or doubled over a crash, or with several archivers.",
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


def _add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    report = commands.add_parser(
        "report",
        help="compare two windows of the archive: drift of features, quality of prices",
        description="Writes an Evidently report on the drift of features and one on the quality"
        " of prices (HTML and JSON), a summary, and an index of all reports. Windows are event"
        " time (UTC), the first day in, the last out: 2014-09-01..2015-01-01. Without windows,"
        " features are held against the champion's training rows, and of the sales that it answered"
        " the newer half against the older half.",
    )
    report.add_argument("--market", required=True, choices=sorted(MARKETS))
    report.add_argument("--reference", metavar="FROM..TO", help="window to compare with")
    report.add_argument("--current", metavar="FROM..TO", help="window to judge")
    report.add_argument("--dir", type=Path, help="archive folder (setting archive_dir)")
    report.add_argument("--out", type=Path, help="folder for reports (setting report_dir)")
    report.add_argument("--json", action="store_true", help="print the summary as JSON")
    report.set_defaults(run=_report)


def _archive(given: argparse.Namespace, kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    stop = _stop_on_signals()
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
    archiver.close()
    return 0


def _health(_given: argparse.Namespace, kafka: KafkaSettings, _own: MonitoringSettings) -> int:
    print(membership.check(kafka))
    return 0


def _enough(given: argparse.Namespace, archiver: Archiver) -> Callable[[], bool]:
    if given.once:
        return archiver.was_at_end
    if given.until_idle is not None:
        return lambda: archiver.is_at_end() and archiver.idle_s() >= given.until_idle
    return lambda: False


def _report(given: argparse.Namespace, kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    os.environ["DO_NOT_TRACK"] = "1"  # before Evidently is imported
    from monitoring import report_command, summary

    asked = report_command.Asked(
        market=given.market,
        windows=_windows(given),
        archive=_existing(given.dir or Path(settings.archive_dir)),
        out=given.out or Path(settings.report_dir),
        prefix=kafka.prefix,
    )
    figures, run = report_command.make(asked, settings)
    if given.json:
        print(msgspec.json.encode(figures).decode())
    else:
        summary.show(figures, Console())
        print(f"written in {figures.seconds:.1f} s: {run}, listed in {asked.out}/index.html")
    return 0


def _windows(given: argparse.Namespace) -> Windows:
    if (given.reference is None) != (given.current is None):
        raise BadWindow("--reference and --current go together: give both, or none")
    if given.reference is None:
        return Windows(None, None)
    return Windows(windows.parse(given.reference), windows.parse(given.current))


def _existing(folder: Path) -> Path:
    if not (folder / MANIFESTS).is_dir():
        raise BadSettings(f"no archive in {folder}: run python -m monitoring archive first")
    return folder


def _stop_on_signals() -> threading.Event:
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


def _tell(words: str) -> None:
    print(f"archive: {words}", file=sys.stderr, flush=True)


def _fail(words: str, status: int) -> int:
    print(f"python -m monitoring: {words}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
