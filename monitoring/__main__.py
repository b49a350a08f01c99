"""Command line of monitoring: `archive`, `report`, `report-card` and `health`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from confluent_kafka import KafkaException
from rich.console import Console

from monitoring import (
    alerts_command,
    archive_command,
    membership,
    notify_command,
    report_card_command,
    windows,
)
from monitoring import settings as own
from monitoring.alerts_command import UnknownAlert
from monitoring.archive import NoBroker
from monitoring.membership import NoMember
from monitoring.rewrite import Busy
from monitoring.settings import MonitoringSettings
from monitoring.windows import BadWindow, Windows
from stream_app.contract.markets import MARKETS
from stream_app.contract.rejects import OurFault
from stream_app.contract.settings import BadSettings, KafkaSettings

WRONG_INPUT = 2
FAILED = 1
OUR_FAULT = 70
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; return the exit status."""
    given = _parser().parse_args(arguments)
    try:
        run: Callable[..., int] = given.run
        return run(given, *own.from_environment())
    except (BadSettings, BadWindow, UnknownAlert) as error:
        return _fail(str(error), WRONG_INPUT)
    except OurFault as error:
        return _fail(str(error), OUR_FAULT)
    except KafkaException as error:
        return _fail(f"broker: {error.args[0].str()}", FAILED)
    except (OSError, Busy, NoBroker, NoMember) as error:
        return _fail(str(error), FAILED)
    except KeyboardInterrupt:
        return _fail("stopped", INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m monitoring",
        description="Keeps predictions and their sales as Parquet, and judges them.",
        epilog="Settings: HOUSING_MONITORING_<NAME>, HOUSING_KAFKA_<NAME>, or the file that"
        " HOUSING_CONFIG names (./housing.toml when there is one).",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    archive_command.add(commands)
    report_card_command.add(commands)
    alerts_command.add(commands)
    notify_command.add(commands)
    _add_report(commands)
    health = commands.add_parser(
        "health",
        help="status 0 if an archiver on this host is a member of its group, as a container's probe",
    )
    health.set_defaults(run=_health)
    return parser


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


def _health(_given: argparse.Namespace, kafka: KafkaSettings, _own: MonitoringSettings) -> int:
    print(membership.check(kafka))
    return 0


def _report(given: argparse.Namespace, kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    os.environ["DO_NOT_TRACK"] = "1"  # before Evidently is imported
    from monitoring import report_command, summary

    asked = report_command.Asked(
        market=given.market,
        windows=_windows(given),
        archive=archive_command.existing(given.dir or Path(settings.archive_dir)),
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


def _fail(words: str, status: int) -> int:
    print(f"python -m monitoring: {words}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
