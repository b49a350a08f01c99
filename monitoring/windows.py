"""Windows of event time: FROM..TO in days (UTC), FROM in, TO out."""

from datetime import UTC, date, datetime
from typing import NamedTuple


class BadWindow(ValueError):
    """The text is no window; the message says why, in one line."""


class Window(NamedTuple):
    """From `from_ms` on, before `to_ms`."""

    from_ms: int
    to_ms: int


class Windows(NamedTuple):
    """The two that are compared, both or neither: None leaves the choice to the report."""

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
