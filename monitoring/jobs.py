"""Which reports are due. Pure: the market's own time and what was reported in, windows out.

The clock is the market's: a replay of years at speed has its reports at the same event times as
the live stream would. Of what is overdue only the newest is made: a report of last month's window
is had by hand.
"""

from collections.abc import Sequence

from msgspec import Struct

from monitoring.asked import Kind
from monitoring.windows import Window, Windows
from stream_app.contract.spans import DAY_MS

MONDAY = 4  # day 4 of 1970
# A file whose newest event is so far beyond all others has one with a wrong clock.
LEAP_MS = 45 * DAY_MS


class Job(Struct, frozen=True, kw_only=True):
    """A report that comes again and again."""

    name: str
    kinds: tuple[Kind, ...]
    every_days: int
    first_day: int = 0  # since 1970, of any of its days
    window_days: int


JOBS = (
    # Sales of four weeks, so that each weekday is as often in it, against the four before.
    Job(name="daily", kinds=(Kind.QUALITY, Kind.DATA), every_days=1, window_days=28),
    Job(name="weekly", kinds=(Kind.DRIFT,), every_days=7, first_day=MONDAY, window_days=28),
)


def due(job: Job, market_ms: int, done_to_ms: int | None) -> Windows | None:
    """Give the windows to report on; None when the newest is reported already.

    `market_ms` is the market's own time, `done_to_ms` the end of the newest window reported.
    """
    day = market_ms // DAY_MS
    end_ms = (day - (day - job.first_day) % job.every_days) * DAY_MS
    if done_to_ms is not None and end_ms <= done_to_ms:
        return None
    return Windows(None, Window(end_ms - job.window_days * DAY_MS, end_ms))


def market_time_ms(newest_ms: Sequence[int]) -> int | None:
    """Give the market's own time: the newest event time of all its files; None without any.

    >>> market_time_ms([10, 20]), market_time_ms([10, 20, 20 + 46 * DAY_MS]), market_time_ms([])
    (20, 20, None)
    """
    ordered = sorted(newest_ms)
    while len(ordered) > 1 and ordered[-1] - ordered[-2] > LEAP_MS:
        ordered.pop()
    return ordered[-1] if ordered else None
