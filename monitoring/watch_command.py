"""`python -m monitoring watch`: options, and the loop in time."""

import argparse
import json
import sys
import time
from pathlib import Path

from monitoring import criteria
from monitoring.alerts_topic import AlertsTopic
from monitoring.archive_command import existing, stop_on_signals
from monitoring.settings import MonitoringSettings
from stream_app.contract.counts import counted
from stream_app.contract.markets import MARKETS
from stream_app.contract.settings import KafkaSettings

WRITER = "watcher"
_EXIT_CODES = """\
All it knows is in the archive and on housing.alerts: killed, it goes on at the next start and
asks nothing twice. One per system: a second one fences the first, which ends with status 1.

exit status: 0 stopped (SIGTERM or Ctrl-C), or --once is done; 1 no broker answers, or another
  watcher has begun; 2 wrong input
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    watch = commands.add_parser(
        "watch",
        help="judge what is archived: decisions, alerts, and what is asked of offline",
        description="Reads what is new in the archive and on housing.alerts, gives it to the"
        " detectors, and writes what the policy decides, with the pre-flights, retrainings and"
        " roll backs that follow. Needs an archiver that runs, and `python -m offline worker`"
        " for what is asked.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options = watch.add_argument
    options(
        "--market",
        action="append",
        choices=sorted(MARKETS),
        help="only this one; may be given again; default: all",
    )
    options("--dir", type=Path, help="archive folder (setting archive_dir)")
    options("--once", action="store_true", help="one round over what is there, and exit")
    options("--json", action="store_true", help="at the end one line of JSON: rows and decisions")
    watch.set_defaults(run=_run)


def _run(given: argparse.Namespace, kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    from monitoring.watch_loop import Watcher  # with its detectors: no other command needs them

    limits = criteria.chosen(settings.policy_file)
    archive = existing(given.dir or Path(settings.archive_dir))
    stop = stop_on_signals()
    alerts = AlertsTopic(kafka, WRITER)
    watcher = Watcher(
        alerts,
        archive,
        kafka.prefix,
        given.market or sorted(MARKETS),
        limits,
        wall_ms=lambda: time.time_ns() // 1_000_000,
        tell=_tell,
    )
    watcher.round()
    again = "" if given.once else f"; a look every {settings.watch_every_s:g} s"
    _tell(f"{counted(watcher.rows, 'row')} read, decisions written: {watcher.decisions}{again}")
    while not given.once and not stop.wait(settings.watch_every_s):
        watcher.round()
    alerts.close()
    if given.json:
        print(json.dumps({"rows": watcher.rows, "decisions": watcher.decisions}))
    return 0


def _tell(words: str) -> None:
    print(f"watch: {words}", file=sys.stderr, flush=True)
