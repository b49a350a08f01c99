"""Options of what runs on folds for a while: how many, how long, in how many processes."""

import argparse

from offline.command_line import whole

FOLDS = 5
BUDGET_S = 600.0
PROCESSES = 2


def add_search(command: argparse.ArgumentParser, before: str) -> None:
    """Folds, budget and processes; `before`: what does not begin when the time is up."""
    command.add_argument(
        "--folds",
        type=whole(2, 20),
        default=FOLDS,
        metavar="N",
        help="spans of the newer half of the sales, each judged by what was sold before it; "
        "2 to 20, default %(default)s",
    )
    command.add_argument(
        "--budget-s",
        type=_seconds,
        default=BUDGET_S,
        metavar="S",
        help=f"after so many seconds {before} begins; what has begun is finished; "
        "default %(default)g",
    )
    command.add_argument(
        "--processes",
        type=whole(1, 64),
        default=PROCESSES,
        metavar="N",
        help="at once, each in one thread; default %(default)s",
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 7 * 86_400:
        raise argparse.ArgumentTypeError(f"{text!r}: seconds above 0, a week at most, are wanted")
    return seconds
