"""What a person is told while a command works: on standard error, results are on the other."""

import sys
from collections.abc import Callable

_SAY_EVERY_EVENTS = 20_000


def say(text: str) -> None:
    """Tell a person; standard output is for results."""
    print(text, file=sys.stderr, flush=True)


def told() -> Callable[[int], None]:
    """Something to call with the number of events so far; it tells of every so many."""
    last = 0

    def progress(events: int) -> None:
        nonlocal last
        if events - last >= _SAY_EVERY_EVENTS:
            last = events
            say(f"  {events:,} events")

    return progress
