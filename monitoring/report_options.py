"""`python -m monitoring report`: options, and what is printed."""

import argparse
import os
from pathlib import Path

import msgspec
from rich.console import Console

from monitoring import archive_command, windows
from monitoring.asked import Asked, Kind
from monitoring.settings import MonitoringSettings
from monitoring.windows import BadWindow, Windows
from stream_app.contract.markets import MARKETS
from stream_app.contract.settings import KafkaSettings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    report = commands.add_parser(
        "report",
        help="compare two windows of the archive: drift, quality of prices, quality of the data",
        description="Writes Evidently reports (HTML and JSON), figures (JSON and CSV), a summary, and"
        " an index of all reports. Windows are event time (UTC), the first day in, the last out:"
        " 2014-09-01..2015-01-01. Without --reference, features are held against the champion's"
        " training rows, all else against the time of the same length before --current. Without"
        " windows, all since the training is judged, and of the sales the newer half against the"
        " older half.",
    )
    options = report.add_argument
    options("--market", required=True, choices=sorted(MARKETS))
    options("--reference", metavar="FROM..TO", help="window to compare with; needs --current")
    options("--current", metavar="FROM..TO", help="window to judge")
    kinds = [kind.value for kind in Kind]  # plain words: argparse tells a choice by its repr
    options("--kind", action="append", choices=kinds, help="may be repeated; default: all three")
    options("--dir", type=Path, help="archive folder (setting archive_dir)")
    options("--out", type=Path, help="folder for reports (setting report_dir)")
    options("--job", default="", metavar="NAME", help="what the index calls it; default: by hand")
    options("--json", action="store_true", help="print the summary as JSON")
    report.set_defaults(run=_report)


def _report(given: argparse.Namespace, kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    os.environ["DO_NOT_TRACK"] = "1"  # before Evidently is imported
    from monitoring import report_command, summary

    asked = Asked(
        market=given.market,
        windows=_windows(given),
        archive=archive_command.existing(given.dir or Path(settings.archive_dir)),
        out=given.out or Path(settings.report_dir),
        prefix=kafka.prefix,
        kinds=tuple(kind for kind in Kind if not given.kind or kind in given.kind),
        job=given.job,
    )
    figures, run = report_command.make(asked, settings)
    if given.json:
        print(msgspec.json.encode(figures).decode())
    else:
        summary.show(figures, Console())
        print(f"written in {figures.seconds:.1f} s: {run}, listed in {asked.out}/index.html")
    return 0


def _windows(given: argparse.Namespace) -> Windows:
    if given.reference is not None and given.current is None:
        raise BadWindow("--reference needs --current: what is held against it")
    return Windows(
        None if given.reference is None else windows.parse(given.reference),
        None if given.current is None else windows.parse(given.current),
    )
