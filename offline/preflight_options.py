"""The options of `preflight-card`. Parses; does nothing."""

import argparse
from pathlib import Path

from offline.command_line import whole


def card(command: argparse.ArgumentParser) -> None:
    """What is particular to this command; it needs no broker and no log."""
    command.description = (
        "Draws weeks anew from homes that two champions have answered, moves the second until it "
        "saves 0 to 10 % of the error, and tells how often a pre-flight says yes, as it is judged "
        "and as it was. Both files are what `python -m offline replay --version V --outcomes FILE` "
        "writes, over the same range. The same files and seed give the same card."
    )
    add = command.add_argument
    add("--json", action="store_true", help="the result as one line of JSON on standard output")
    add("--served", type=Path, required=True, metavar="FILE", help="outcomes of one champion")
    add("--retrained", type=Path, required=True, metavar="FILE", help="outcomes of the other")
    add("--draws", type=whole(1), default=400, metavar="N", help="default 400")
    add("--seed", type=whole(0), default=1, metavar="N", help="default 1")
