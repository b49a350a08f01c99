"""Command line of monitoring: each command stands in a module of its own."""

import argparse
import sys
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaException

from monitoring import (
    ab_command,
    alerts_command,
    archive_command,
    conditions_command,
    decisions_command,
    jobs_command,
    membership,
    month_command,
    notify_command,
    publishers_command,
    report_card_options,
    report_options,
    ui_command,
    watch_command,
)
from monitoring import settings as own
from monitoring.alerts_command import UnknownAlert
from monitoring.broker import NoBroker
from monitoring.membership import NoMember
from monitoring.page import command as page
from monitoring.rewrite import Busy
from monitoring.settings import MonitoringSettings
from monitoring.windows import BadWindow
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
    watch_command.add(commands)
    decisions_command.add(commands)
    report_card_options.add(commands)
    page.add(commands)
    alerts_command.add(commands)
    notify_command.add(commands)
    report_options.add(commands)
    jobs_command.add(commands)
    ui_command.add(commands)
    conditions_command.add(commands)
    publishers_command.add(commands)
    ab_command.add(commands)
    month_command.add(commands)
    health = commands.add_parser(
        "health",
        help="status 0 if an archiver on this host is a member of its group, as a container's probe",
        description="Asks the broker, for an archiver has no pages of its own. Exit status: 0 it is a"
        " member, with or without partitions; 1 it is none, or no broker answers.",
    )
    health.set_defaults(run=_health)
    return parser


def _health(_given: argparse.Namespace, kafka: KafkaSettings, _own: MonitoringSettings) -> int:
    print(membership.check(kafka))
    return 0


def _fail(words: str, status: int) -> int:
    print(f"python -m monitoring: {words}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
