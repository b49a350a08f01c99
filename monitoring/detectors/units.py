"""A publisher sends a number in another unit: square feet, cents, thousands.

Idea. Of each measure that a publisher sends, the logarithm's median over its newest values is
held against the median and spread of its own earlier ones; a publisher without a past, against
the market's. A factor moves the whole median; dear homes, or a few typing errors, do not.

Measures are what the contract names by a unit or as money. Counts (floors, bathrooms) have no
unit to mistake, and halve from one block of flats to the next.
"""

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from monitoring.detectors.finding import Cause, Event, Finding

MEASURES = ("_m2", "_price", "_years")
NEWEST = 21  # eleven bad ones turn the median: some 25 events, of which half are listings
PAST = 200  # values that a baseline is made of
PAST_MIN = 40
REFRESHED_EVERY = 20  # values: a median of 200 costs more than all else here
# A factor below two is a kind of home, not a unit: feet for metres are 3.3, square feet 10.8.
SHIFT_MIN_LOG = math.log(2)
# Six standard errors of a median told one falsehood in a year of King County's lots, some of
# which are farms; square feet are still nine of them.
ERRORS_MIN = 7.0
MEDIAN_ERROR = 1.2533 / math.sqrt(NEWEST)  # of a normal sample's median, in spreads
MAD_SPREAD = 1.4826  # median distance to spread, of a normal distribution
NUMBERS_MAX = 2_000  # publishers times measures, about 4 kB each


class Usual(NamedTuple):
    """Median and spread of logarithms."""

    middle: float
    spread: float


@dataclass
class Baseline:
    """What is usual, of the last values that were not in doubt."""

    values: deque[float] = field(default_factory=lambda: deque(maxlen=PAST))
    added: int = 0
    usual: Usual | None = None  # None: too few values

    def add(self, value: float) -> None:
        """Take in a value."""
        self.values.append(value)
        self.added += 1
        if self.added >= PAST_MIN and self.added % REFRESHED_EVERY == 0:
            middle = median(self.values)
            apart = median(abs(each - middle) for each in self.values)
            self.usual = Usual(middle, MAD_SPREAD * apart)


@dataclass
class Numbers:
    """One measure of one publisher."""

    newest: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=NEWEST))
    past: Baseline = field(default_factory=Baseline)
    in_doubt: bool = False
    doubted_ms: int | None = None  # the newest event while in doubt

    def add(self, value: float, at_ms: int) -> None:
        """Take in a value; the oldest of the newest becomes past, unless all are in doubt."""
        if len(self.newest) == NEWEST and not self.in_doubt:
            self.past.add(self.newest[0][0])
        self.newest.append((value, at_ms))

    def shift(self, usual: Usual) -> float | None:
        """How far the newest lie from what is usual, when that is no chance."""
        if len(self.newest) < NEWEST:
            return None
        shift = median(value for value, _ in self.newest) - usual.middle
        limit = max(SHIFT_MIN_LOG, ERRORS_MIN * MEDIAN_ERROR * usual.spread)
        if self.in_doubt:  # or one that stands at the limit would be told again and again
            limit /= 2
        return shift if abs(shift) > limit else None


class UnitWatch:
    """All measures of all publishers of one market."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], Numbers] = {}
        self._market: dict[str, Baseline] = {}

    def update(self, event: Event) -> list[Finding]:
        """Take in one event; tell the measures whose unit is in doubt since it."""
        found = []
        for name, value in _logs(event):
            own = self._numbers_of(event.publisher, name)
            everybody = self._market.setdefault(name, Baseline())
            if own is None:
                continue
            own.add(value, event.at_ms)
            usual = own.past.usual or everybody.usual
            shift = usual and own.shift(usual)
            if usual and shift is not None and not own.in_doubt:
                found.append(_finding(event, name, own, usual.middle, shift))
            own.in_doubt = shift is not None
            if own.in_doubt:
                own.doubted_ms = event.at_ms
            else:
                everybody.add(value)
        return found

    def doubted(self) -> Mapping[str, int]:
        """The segments that ever were in doubt, and the newest event of each while it was."""
        return {
            _segment(*key): own.doubted_ms
            for key, own in self._numbers.items()
            if own.doubted_ms is not None
        }

    def _numbers_of(self, publisher: str, name: str) -> Numbers | None:
        key = publisher, name
        if key not in self._numbers and len(self._numbers) < NUMBERS_MAX:
            self._numbers[key] = Numbers()
        return self._numbers.get(key)


def _logs(event: Event) -> Iterator[tuple[str, float]]:
    for name, value in event.fields.items():
        # A basement of 0 m2 is none, and says nothing of its unit.
        if name.endswith(MEASURES) and isinstance(value, int | float) and 0 < value < math.inf:
            yield name, math.log(value)


def _segment(publisher: str, name: str) -> str:
    return f"publisher={publisher} field={name}"


def _finding(event: Event, name: str, own: Numbers, middle: float, shift: float) -> Finding:
    off = [(value, at) for value, at in own.newest if abs(value - middle) >= abs(shift)]
    factor = math.exp(median(value for value, _ in off) - middle)
    return Finding(
        cause=Cause.UNIT,
        market=event.market,
        segment=_segment(event.publisher, name),
        value=math.exp(middle) * factor,
        baseline=math.exp(middle),
        n=len(off),
        since_ms=min(at for _, at in off),
        seen_ms=event.at_ms,
        likely=f"{event.publisher} sends {name} times {factor:.3g}: another unit",
    )
