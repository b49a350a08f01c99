"""The options of `python -m offline replay`, and what their texts mean. Parses; does nothing."""

import argparse
from pathlib import Path
from typing import NamedTuple

from offline.arguments import boundary_ms


class Spot(NamedTuple):
    """A place in a topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


def spot(text: str) -> Spot:
    """Read a place.

    >>> spot("3:120")
    Spot(partition=3, offset=120)
    """
    partition, _, offset = text.partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r}: PARTITION:OFFSET is wanted, such as 0:1200")
    return Spot(int(partition), int(offset))


def add(command: argparse.ArgumentParser) -> None:
    """Which range, what is other than it was, and where the results go."""
    _add_range(command)
    _add_changes(command)
    command.add_argument(
        "--out",
        metavar="FILE.jsonl|topic:NAME",
        help="predictions of the range, one JSON object each; a topic must not be there yet",
    )
    command.add_argument(
        "--outcomes", metavar="FILE.jsonl|topic:NAME", help="predictions joined with their sales"
    )
    command.add_argument(
        "--report",
        type=Path,
        metavar="FOLDER",
        help="the difference as a page and as JSON; default: var/replay/<market>",
    )


def _add_range(command: argparse.ArgumentParser) -> None:
    begins = command.add_mutually_exclusive_group()
    begins.add_argument(
        "--from",
        dest="from_ms",
        type=boundary_ms,
        metavar="DATE",
        help="the range begins with the first event of the market of this date (UTC)",
    )
    begins.add_argument(
        "--from-offset", type=spot, metavar="P:O", help="or with this offset of housing.events"
    )
    ends = command.add_mutually_exclusive_group()
    ends.add_argument("--to", dest="to_ms", type=boundary_ms, metavar="DATE", help="ends before")
    ends.add_argument("--to-offset", type=spot, metavar="P:O", help="or before this offset")


def _add_changes(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--version", metavar="V", help="this champion serves the range; default: who served it"
    )
    command.add_argument(
        "--against",
        metavar="W",
        help="compare with this champion; default: as served, where the log knows",
    )
    command.add_argument(
        "--without-source", metavar="S", help="in the range, as if S had told of no sale"
    )
    command.add_argument(
        "--rewind-to",
        type=spot,
        metavar="P:O",
        help="the corrector begins with what it had learned before this offset of "
        "housing.outcomes; the range begins with that sale, unless told otherwise",
    )
