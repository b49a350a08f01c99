"""`python -m monitoring jobs`: makes the reports that are due, each in a process with limits."""

import argparse
import signal
import sys
import time
from pathlib import Path

import msgspec

from monitoring import archive_command
from monitoring.settings import MonitoringSettings
from stream_app.contract.markets import MARKETS
from stream_app.contract.settings import KafkaSettings

FAILED = 1
LOOK_EVERY_S = 60.0  # at the archive: its manifests, no rows
CODES = """\
The quality of prices and of the data are reported daily, drift weekly (Monday), over four
weeks that end at midnight (UTC) of the market's own time: the newest event time in the archive.
A report that takes more memory or time than its settings allow is ended, and listed as such.

exit status: 0 all that was due is reported; 1 (with --once) a report was ended; 2 wrong input;
  130 stopped by Ctrl-C or SIGTERM. A report that was cut off is made again.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands and their options."""
    command = commands.add_parser(
        "jobs",
        help="make reports on a schedule, and remove old ones",
        description="Evidently's reports, each in a process of its own with limits of time and memory.",
    )
    actions = command.add_subparsers(required=True, metavar="run|prune")
    run = actions.add_parser(
        "run",
        help="make what is due, again and again",
        description="Makes the reports that are due, and looks again each minute.",
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options = run.add_argument
    options("--once", action="store_true", help="make what is due now, and exit")
    options("--market", choices=sorted(MARKETS), help="only this one; default: all")
    options("--dir", type=Path, help="archive folder (setting archive_dir)")
    options("--out", type=Path, help="folder for reports (setting report_dir)")
    options("--json", action="store_true", help="print one line of JSON after each look")
    run.set_defaults(run=_run)
    prune = actions.add_parser(
        "prune",
        help="remove old reports now",
        description="Removes reports older than setting report_keep_days, and the oldest beyond"
        " report_keep_runs, with their snapshots in the workspace. `jobs run` does so, too.",
    )
    prune.add_argument("--out", type=Path, help="folder for reports (setting report_dir)")
    prune.add_argument("--dry-run", action="store_true", help="tell what would go")
    prune.add_argument("--json", action="store_true", help="print one line of JSON")
    prune.set_defaults(run=_prune)


def _run(given: argparse.Namespace, kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    from monitoring import scheduler

    archive = archive_command.existing(given.dir or Path(settings.archive_dir))
    out = given.out or Path(settings.report_dir)
    names = [given.market] if given.market else sorted(MARKETS)
    again = "" if given.once else f"; a look every {LOOK_EVERY_S:g} s"
    # The first process of a container would not be ended by it otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    is_first = True
    while True:
        look = scheduler.step(archive, kafka.prefix, names, out, settings)
        if given.json:
            print(msgspec.json.encode(look).decode(), flush=True)
        if not look.reports and (given.once or is_first):
            print(f"jobs: nothing is due{again}", file=sys.stderr, flush=True)
        is_first = False
        if given.once:
            return FAILED if look.ended else 0
        time.sleep(LOOK_EVERY_S)


def _prune(given: argparse.Namespace, _kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    from monitoring import runs

    out = given.out or Path(settings.report_dir)
    keep = settings.report_keep_days, settings.report_keep_runs
    pruned = runs.prune(out, *keep, dry_run=given.dry_run)
    if given.json:
        print(msgspec.json.encode(pruned).decode())
    else:
        verb = "would go" if given.dry_run else "are gone"
        print(f"reports that {verb}: {len(pruned.runs)}, kept: {pruned.kept}, in {out}")
    return 0
