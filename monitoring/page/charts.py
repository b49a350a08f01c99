"""Charts of stretches of days: values to places in percent, so that any width draws the same. Pure.

Lines stop where a value is unknown; nothing is drawn as 0 that is not. All charts of a page share
one time axis, and the marks on it. A chart's table holds what it draws.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from monitoring.page.figures import Stretch
from monitoring.page.tables import Column, Table, Unit, shown
from stream_app.contract.spans import DAY_MS

POINTS_MAX = 120  # some 3 pixels each on a telephone; a year is cut into 4 days each
TICKS = 3
LABELS_MAX = 6
ROOM = 0.06  # above and below the lines, of the height


class Line(NamedTuple):
    name: str
    style: str  # class of its colour and dash
    values: Sequence[float | None]  # of each stretch


class Chart(NamedTuple):
    key: str
    title: str
    about: str
    unit: Unit
    stretches: Sequence[Stretch]
    lines: Sequence[Line]
    goal: float | None = None
    least: float | None = None  # that the axis shows in any case
    counts: Sequence[int] = ()  # what each stretch was made of

    @property
    def known(self) -> bool:
        return any(value is not None for line in self.lines for value in line.values)

    def table(self) -> Table:
        """What is drawn, in rows."""
        counted = (Column("n", Unit.COUNT),) if self.counts else ()
        columns = (
            Column("from", Unit.DAY),
            Column("to", Unit.DAY),
            *counted,
            *(Column(line.name, self.unit) for line in self.lines),
        )
        rows = []
        for place, stretch in enumerate(self.stretches):
            days = (stretch.first * DAY_MS, (stretch.end - 1) * DAY_MS)
            n = (self.counts[place],) if self.counts else ()
            rows.append((*days, *n, *(line.values[place] for line in self.lines)))
        return Table(self.key, self.title, self.about, columns, rows)


class Segment(NamedTuple):
    """Ends in percent of width and height, from the upper left."""

    x1: float
    y1: float
    x2: float
    y2: float


class Drawn(NamedTuple):
    """A line's segments; a value between two unknown ones is a dot: a segment without length."""

    name: str
    style: str
    segments: Sequence[Segment]
    newest: str  # its last known value


class Tick(NamedTuple):
    place: float
    words: str


class Hover(NamedTuple):
    """What a stretch tells when pointed at."""

    x: float
    width: float
    words: str


class Picture(NamedTuple):
    lines: Sequence[Drawn]
    ticks: Sequence[Tick]  # of the height
    goal: float | None
    hovers: Sequence[Hover]


def picture(chart: Chart) -> Picture:
    """Place all of it."""
    low, high = _range(chart)

    def height(value: float) -> float:
        return round(100 * (1 - (value - low) / (high - low)), 2)

    values = ticks(low, high)
    return Picture(
        lines=[_drawn(chart, line, low, high) for line in chart.lines],
        ticks=[Tick(height(value), shown(value, chart.unit)) for value in values],
        goal=None if chart.goal is None else height(chart.goal),
        hovers=_hovers(chart),
    )


def ticks(low: float, high: float) -> list[float]:
    """Round values between two others, three to six of them.

    >>> ticks(0.0, 117.0)
    [0.0, 50.0, 100.0]
    """
    raw = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * next(nice for nice in (1.0, 2.0, 5.0, 10.0) if nice * power >= raw)
    return [round(n * step, 10) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def labels(axis: Stretch) -> list[Tick]:
    """Days below the axis, at their first moment."""
    step = max(1, axis.days // LABELS_MAX)
    days = range(axis.first, axis.end - step // 2, step)
    return [Tick(place(axis, day * DAY_MS), shown(day * DAY_MS, Unit.DAY)) for day in days]


def place(axis: Stretch, at_ms: float) -> float:
    """Where a time lies on the axis, in percent."""
    return round(100 * (at_ms / DAY_MS - axis.first) / max(axis.days, 1), 2)


def _range(chart: Chart) -> tuple[float, float]:
    known = [value for line in chart.lines for value in line.values if value is not None]
    known += [value for value in (chart.goal, chart.least) if value is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    spread = (high - low) or abs(high) or 1.0
    return low - ROOM * spread, high + ROOM * spread


def _drawn(chart: Chart, line: Line, low: float, high: float) -> Drawn:
    axis = Stretch(chart.stretches[0].first, chart.stretches[-1].end)
    points = [
        None
        if value is None
        else (
            place(axis, (stretch.first + stretch.end) / 2 * DAY_MS),
            round(100 * (1 - (value - low) / (high - low)), 2),
        )
        for stretch, value in zip(chart.stretches, line.values, strict=True)
    ]
    segments = []
    for before, here, after in zip([None, *points], points, [*points[1:], None], strict=False):
        if here is not None and after is not None:
            segments.append(Segment(*here, *after))
        elif here is not None and before is None:
            segments.append(Segment(*here, *here))
    known = [value for value in line.values if value is not None]
    newest = shown(known[-1] if known else None, chart.unit)
    return Drawn(line.name, line.style, segments, newest)


def _hovers(chart: Chart) -> list[Hover]:
    axis = Stretch(chart.stretches[0].first, chart.stretches[-1].end)
    found = []
    for number, stretch in enumerate(chart.stretches):
        told = ", ".join(
            f"{line.name} {shown(line.values[number], chart.unit)}" for line in chart.lines
        )
        n = f" (n {chart.counts[number]:,})" if chart.counts else ""
        day = shown(stretch.first * DAY_MS, Unit.DAY)
        x = place(axis, stretch.first * DAY_MS)
        width = place(axis, stretch.end * DAY_MS) - x
        found.append(Hover(x, round(width, 2), f"{day}: {told}{n}"))
    return found


class Bar(NamedTuple):
    """One bin of a histogram: shares of the window and of the baseline."""

    words: str
    window: float | None
    baseline: float | None


class Histogram(NamedTuple):
    key: str
    title: str
    about: str
    bars: Sequence[Bar]

    def table(self) -> Table:
        columns = (Column("from"), Column("window", Unit.SHARE), Column("baseline", Unit.SHARE))
        return Table(self.key, self.title, self.about, columns, [tuple(bar) for bar in self.bars])

    @property
    def most(self) -> float:
        """The highest bar."""
        return max((max(b.window or 0.0, b.baseline or 0.0) for b in self.bars), default=0.0) or 1.0
