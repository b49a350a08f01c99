"""What one page is about: a market, the window that is judged, the baseline, the axis. Pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from monitoring.page import figures
from monitoring.page.charts import POINTS_MAX
from monitoring.page.figures import Stretch, Sums
from stream_app.contract.markets import MARKETS
from stream_app.contract.spans import DAY_MS

WINDOW_DAYS = (7, 30, 90, 365)
WINDOW_DAYS_DEFAULT = 30
AXIS_DAYS = 365  # shown by default: a year has all seasons
BASELINE_WINDOWS = 3  # the baseline is as many windows long, just before
SHORT_NAME = 3  # letters of a name that is an abbreviation
EPOCH = date(1970, 1, 1)


class BadView(ValueError):
    """What was asked for is no view; the text says why."""


class View(NamedTuple):
    market: str
    window: Stretch
    baseline: Stretch
    axis: Stretch
    all_days: bool = False

    @property
    def title(self) -> str:
        return title(self.market)

    @property
    def currency(self) -> str:
        return MARKETS[self.market].currency

    @property
    def words(self) -> str:
        """Window and baseline, as it stands beside every figure."""
        return (
            f"window {days(self.window)} ({self.window.days} days),"
            f" baseline {days(self.baseline)} ({self.baseline.days} days)"
        )

    @property
    def axis_words(self) -> str:
        """What a chart is made of; each point's n is told where it is pointed at."""
        width = self.cuts()[0].days if self.axis.days else 0
        return f"{days(self.axis)}, {width} day{'s' * (width > 1)} a point"

    def cuts(self) -> list[Stretch]:
        return figures.cuts(self.axis, POINTS_MAX)


def of_query(market: str, sums: Sums, query: Mapping[str, str]) -> View:
    """Read `window` (days), `to` (its last day) and `axis` (`all`).

    Raises
    ------
    BadView : no such market, length or day
    """
    length = query.get("window", str(WINDOW_DAYS_DEFAULT))
    if length not in map(str, WINDOW_DAYS):
        raise BadView(
            f"window={length[:20]!r}: one of {', '.join(map(str, WINDOW_DAYS))} is wanted"
        )
    end = day_number(query["to"]) + 1 if query.get("to") else sums.axis.end
    window = Stretch(end - int(length), end)
    all_days = query.get("axis") == "all"
    wide = min(sums.axis.days, AXIS_DAYS)
    first = sums.axis.first if all_days else max(end - max(wide, int(length)), sums.axis.first)
    axis = Stretch(min(first, end - 1), sums.axis.end if all_days else end)
    return View(
        market,
        window,
        figures.before(window, BASELINE_WINDOWS * window.days),
        axis,
        all_days,
    )


def title(market: str) -> str:
    """A market as people call it.

    >>> title("king-county"), title("hdb")
    ('King County', 'HDB')
    """
    words = market.split("-")
    return " ".join(w.upper() if len(w) <= SHORT_NAME else w.title() for w in words)


def days(stretch: Stretch) -> str:
    """Both ends, in.

    >>> days(Stretch(0, 31))
    '1970-01-01 to 1970-01-31'
    """
    return f"{day_of(stretch.first)} to {day_of(stretch.end - 1)}"


def day_of(number: int) -> str:
    return datetime.fromtimestamp(number * DAY_MS / 1000, UTC).date().isoformat()


def day_number(text: str) -> int:
    """Days since 1970-01-01.

    Raises
    ------
    BadView : the text is no day
    """
    try:
        return (date.fromisoformat(text) - EPOCH).days
    except ValueError:
        raise BadView(f"to={text[:20]!r}: a day such as 2015-01-31 is wanted") from None
