"""Windows of event time: FROM..TO in days (UTC), FROM in, TO out."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import accumulate
from typing import NamedTuple

from stream_app.contract.spans import DAY_MS

SEASON_DAYS = 364  # a year before, on the same weekdays


class BadWindow(ValueError):
    """The text is no window; the message says why, in one line."""


class Window(NamedTuple):
    """From `from_ms` on, before `to_ms`."""

    from_ms: int
    to_ms: int


class Windows(NamedTuple):
    """The two that are compared. None leaves the choice to the report; no reference without current."""

    reference: Window | None
    current: Window | None


def parse(text: str) -> Window:
    """Read a window.

    >>> words(parse("2014-09-01..2015-01-01"))
    '2014-09-01..2015-01-01'

    Raises
    ------
    BadWindow : not two days, or the second is not after the first
    """
    first, dots, last = text.partition("..")
    if not dots:
        raise BadWindow(
            f"window {text!r}: two days are wanted, FROM..TO, as 2014-09-01..2015-01-01"
        )
    window = Window(_day_ms(first, text), _day_ms(last, text))
    if window.to_ms <= window.from_ms:
        raise BadWindow(f"window {text!r}: TO must be after FROM")
    return window


def before(window: Window) -> Window:
    """The time of the same length before it."""
    return Window(2 * window.from_ms - window.to_ms, window.from_ms)


def season_before(window: Window) -> Window | None:
    """The same days of the year before; None of a window that is longer than a year."""
    if window.to_ms - window.from_ms > SEASON_DAYS * DAY_MS:
        return None
    return Window(*(time_ms - SEASON_DAYS * DAY_MS for time_ms in window))


def halves(rows_by_day: Mapping[int, int]) -> tuple[Window, Window]:
    """Part days (since 1970) so that each side has about half of the rows.

    >>> older, newer = halves({0: 10, 1: 10, 5: 20})
    >>> words(older), words(newer)
    ('1970-01-01..1970-01-06', '1970-01-06..1970-01-07')
    """
    if not rows_by_day:
        return Window(0, 0), Window(0, 0)
    days = sorted(rows_by_day)
    half = sum(rows_by_day.values()) / 2
    sums = accumulate(rows_by_day[day] for day in days)
    # The day with the middle row begins the newer half: it must have one.
    middle = next(day for day, so_far in zip(days, sums, strict=True) if so_far > half)
    ends = (days[0] * DAY_MS, middle * DAY_MS, (days[-1] + 1) * DAY_MS)
    return Window(*ends[:2]), Window(*ends[1:])


def words(window: Window) -> str:
    """Tell a window as it is given; parts of days are left out."""
    return f"{day(window.from_ms)}..{day(window.to_ms)}"


def day(time_ms: int) -> str:
    """Tell the day (UTC) of a time.

    >>> day(0)
    '1970-01-01'
    """
    return datetime.fromtimestamp(time_ms / 1000, UTC).date().isoformat()


def _day_ms(text: str, window: str) -> int:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise BadWindow(f"window {window!r}: {error}") from None
    start = datetime(found.year, found.month, found.day, tzinfo=UTC)
    return int(start.timestamp() * 1000)
