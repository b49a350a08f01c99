"""`python -m monitoring report-card`: options. What it needs is imported when it runs: detectors
and their statistics take a second, which no other command should wait for.
"""

import argparse
from pathlib import Path

from monitoring.settings import MonitoringSettings
from monitoring.whole import whole
from stream_app.contract.settings import KafkaSettings

STREAMS_MAX = 1_000


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    card = commands.add_parser(
        "report-card",
        help="how good the detectors and the policy are, on quiet and on planted streams",
        description="Draws quiet streams from real sales by blocks of days, plants drifts, and"
        " tells power, delay and false alarms per 30 quiet days, beside an alarm that always"
        " rings and KS p < 0.05. FILE is what `python -m offline replay --outcomes FILE` writes;"
        " needs no broker. The same files and seed give the same card.",
    )
    options = card.add_argument
    options("--outcomes", type=Path, required=True, metavar="FILE", help="outcomes, JSON lines")
    options("--quiet", metavar="FROM..TO", help="only sales of these days; default: all")
    options(
        "--events", type=Path, metavar="FILE", help="events, JSON lines: for publishers' errors"
    )
    options(
        "--real",
        metavar="FROM..TO",
        help="no card: what the alarms said of these days as they were, after all sales before",
    )
    options(
        "--streams",
        type=whole(1, STREAMS_MAX),
        default=10,
        metavar="N",
        help="streams a row; default 10",
    )
    options("--seed", type=int, default=1, metavar="N", help="default 1")
    options("--json", action="store_true", help="print one line of JSON")
    card.set_defaults(run=_run)


def _run(given: argparse.Namespace, _kafka: KafkaSettings, _own: MonitoringSettings) -> int:
    from monitoring import report_card_command

    return report_card_command.run(given)
