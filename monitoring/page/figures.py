"""Sums over any stretch of days of one market, in one step each, however long. Pure.

Stretches are days of the market's own time. What is not known is None, never 0.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from monitoring import rollup
from monitoring.rollup import AGES, MILLIONTHS, Day
from stream_app.contract.spans import DAY_MS

# A sale's day belongs to the market's time if it follows its listings by less than this: one
# absurd date does not stretch the axis (as core/watermark.py, which wants a second witness).
LEAP_DAYS = 45
STEP_DAYS = 7  # by which it is looked back for "since when"
STEPS_MAX = 520


class Stretch(NamedTuple):
    """From `first` on, before `end`: days since 1970-01-01."""

    first: int
    end: int

    @property
    def days(self) -> int:
        return self.end - self.first


Holds = Callable[[Stretch], bool]


class Errors(Struct, frozen=True):
    """Of |log price - log sale price| over the sales of a stretch."""

    n: int
    mean_abs: float
    bias: float  # mean log price less log sale price: above 0 is too high
    standard_error: float  # of mean_abs
    bias_error: float  # standard error of bias


class Share(Struct, frozen=True):
    n: int
    inside: int

    @property
    def share(self) -> float:
        return self.inside / self.n


class Sums:
    """Running sums of all counts of a market over its days."""

    def __init__(self, days: Mapping[int, Day]) -> None:
        self.axis = _axis(days)
        self.appended_ms = {number: day.appended_ms for number, day in days.items()}
        self._running: dict[str, NDArray[np.int64]] = {}
        self._outside: dict[str, int] = {}
        for number, day in days.items():
            inside = self.axis.first <= number < self.axis.end
            for name, count in day.counts.items():
                if inside:
                    self._of(name)[number - self.axis.first + 1] += count
                else:
                    self._outside[name] = self._outside.get(name, 0) + count
        for counts in self._running.values():
            np.cumsum(counts, out=counts)

    def _of(self, name: str) -> NDArray[np.int64]:
        if name not in self._running:
            self._running[name] = np.zeros(self.axis.days + 1, dtype=np.int64)
        return self._running[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Of all counts there are."""
        return tuple(sorted(self._running))

    def sum(self, name: str, stretch: Stretch) -> int:
        """The sum of a count over a stretch."""
        running = self._running.get(name)
        if running is None:
            return 0
        first, end = (
            min(max(day - self.axis.first, 0), self.axis.days)
            for day in (stretch.first, stretch.end)
        )
        return int(running[max(first, end)] - running[first])

    def group(self, group: str, stretch: Stretch) -> dict[str, int]:
        """The sums of a group by name; those of nothing are left out."""
        names = rollup.named(dict.fromkeys(self._running, 0), group)
        sums = {name: self.sum(f"{group}.{name}", stretch) for name in names}
        return {name: count for name, count in sums.items() if count}

    def outside(self, group: str) -> int:
        """What bears a date that is none of the market's: counted, and on no axis."""
        return sum(rollup.named(self._outside, group).values())


def _axis(days: Mapping[int, Day]) -> Stretch:
    """From the first day that was answered in time to the newest day of the market."""
    answered = [number for number, day in days.items() if _in_time(day.counts)]
    if not answered:
        return Stretch(0, 0)
    newest = max(answered)
    for number in sorted(days):
        if newest < number <= newest + LEAP_DAYS and "interval.n" in days[number].counts:
            newest = number
    return Stretch(min(answered), newest + 1)


def _in_time(counts: Mapping[str, int]) -> bool:
    doubted = counts.get("doubt.late", 0) + counts.get("doubt.time_jump", 0)
    return counts.get("answer", 0) > doubted


def newest(sums: Sums, days: int) -> Stretch:
    """The newest days of the market."""
    return Stretch(sums.axis.end - days, sums.axis.end)


def before(stretch: Stretch, days: int) -> Stretch:
    """The days before a stretch."""
    return Stretch(stretch.first - days, stretch.first)


def cuts(stretch: Stretch, most: int) -> list[Stretch]:
    """Cut into at most so many equal parts of whole days; the last may be shorter.

    >>> cuts(Stretch(0, 7), 3)
    [Stretch(first=0, end=3), Stretch(first=3, end=6), Stretch(first=6, end=7)]
    """
    width = max(1, math.ceil(stretch.days / most))
    edges = range(stretch.first, stretch.end, width)
    return [Stretch(first, min(first + width, stretch.end)) for first in edges]


def errors(sums: Sums, kind: str, stretch: Stretch, age: str | None = None) -> Errors | None:
    """The errors of a kind of price (rollup.KINDS), of labels of one age or all."""
    ages = tuple(AGES) if age is None else (age,)
    n, absolute, signed, square = (
        sum(sums.sum(f"{kind}.{each}.{what}", stretch) for each in ages)
        for what in ("n", "abs", "signed", "square")
    )
    if n == 0:
        return None
    mean, bias, mean_square = (total / MILLIONTHS / n for total in (absolute, signed, square))
    spread, bias_spread = (
        math.sqrt(max(mean_square - centre**2, 0.0) / n) for centre in (mean, bias)
    )
    return Errors(n, mean, bias, spread, bias_spread)


def share(sums: Sums, group: str, stretch: Stretch) -> Share | None:
    """How many of those that are known hold: `interval` covered, `near` within 10 %."""
    n = sums.sum(f"{group}.n", stretch)
    return Share(n, sums.sum(f"{group}.in", stretch)) if n else None


def quantile(sums: Sums, group: str, stretch: Stretch, part: float) -> float | None:
    """A quantile of a histogram over a stretch."""
    return rollup.quantile(sums.group(group, stretch), group, part)


def mean_log(sums: Sums, group: str, stretch: Stretch) -> float | None:
    """Mean log price, of `listed` or `labelled` homes."""
    n = sums.sum(f"{group}.n", stretch)
    return sums.sum(f"{group}.log", stretch) / MILLIONTHS / n if n else None


def weighted_error(sums: Sums, kind: str, stretch: Stretch) -> float | None:
    """Mean error as if labels of each age came in their usual shares.

    Fast sellers come first: a young window is judged on them alone. None while an age that
    usually has labels has none here.
    """
    total, weight = 0.0, 0
    for age in AGES:
        usual = errors(sums, kind, sums.axis, age)
        here = errors(sums, kind, stretch, age)
        if usual is not None and here is None:
            return None
        if usual is not None and here is not None:
            total, weight = total + usual.n * here.mean_abs, weight + usual.n
    return total / weight if weight else None


def last_day(sums: Sums, name: str) -> int | None:
    """The newest day with one of it; None: there never was one."""
    running = sums._running.get(name)
    if running is None or running[-1] == 0:
        return None
    return sums.axis.first + int(np.searchsorted(running, running[-1])) - 1


def last_label(sums: Sums) -> int | None:
    """The newest day with a sale whose home had been answered."""
    found = [last_day(sums, f"{rollup.SERVED}.{age}.n") for age in AGES]
    return max((day for day in found if day is not None), default=None)


def since(sums: Sums, stretch: Stretch, holds: Holds) -> int:
    """Since which day something that holds now has held, by stretches of the same length."""
    since_day = stretch.end
    for earlier in _back(stretch, sums.axis.first):
        if not holds(earlier):
            break
        since_day = earlier.end
    return max(since_day - STEP_DAYS, sums.axis.first)


def _back(stretch: Stretch, first: int) -> Iterator[Stretch]:
    for step in range(STEPS_MAX):
        moved = Stretch(stretch.first - step * STEP_DAYS, stretch.end - step * STEP_DAYS)
        if moved.end <= first:
            return
        yield moved


def on_axis_ms(sums: Sums, at_ms: int) -> int | None:
    """Put a time on the market's axis: as it is if the market has been there, else by what the
    market had come to when it was said. None: before all.
    """
    if at_ms < sums.axis.end * DAY_MS:
        return at_ms if at_ms >= sums.axis.first * DAY_MS else None
    reached = [
        day
        for day, came_ms in sums.appended_ms.items()
        if came_ms is not None and came_ms <= at_ms and sums.axis.first <= day < sums.axis.end
    ]
    return max(reached) * DAY_MS if reached else None
