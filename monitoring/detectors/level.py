"""Prices run away from the answers: Page-Hinkley on the signed log error, per market, region and type.

Idea. The mean and the spread of the first errors are frozen; from then on the error's
distance from that mean, in spreads, is added up, less what is tolerated. The sum's height
over its lowest point says that the level moved, and the lowest point says when. Upwards
and downwards alike. The mean is frozen, unlike in Page's paper: a running one would follow
a slow trend and never tell it. After a finding all begins anew, from the new level.

E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954); D. V. Hinkley,
"Inference about the change-point from cumulative sum tests", Biometrika 58 (1971).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from msgspec import Struct

from monitoring.detectors.finding import Cause, Finding, Labelled

PARTS_MAX = 1_000  # regions and types of home; each takes 200 bytes


class LevelTest(Struct, frozen=True):
    """How a level is watched. All in spreads of the error, which is about 0.1 to 0.2 in log."""

    warm_up: int  # errors that mean and spread come from; fewer find less, and more falsely
    tolerated: float  # of the mean's own wobble; half the shift to be found
    threshold: float  # higher is later, and more rarely false


# A shock of 10 % is 0.7 spreads of King County's errors and more of HDB's: found after some
# 80 labels, and in quiet months nothing (docs/monitoring.md has the command). A threshold of 20
# was there sooner, and told a falsehood in three years.
MARKET = LevelTest(warm_up=300, tolerated=0.3, threshold=30.0)
# Some 70 regions are watched at once, with some 20 labels a month each: a larger shift, sooner. Types
# likewise: HDB's executive flats, a twelfth of its sales, move the market's level too little to be seen.
PART = LevelTest(warm_up=60, tolerated=0.5, threshold=18.0)
# A typing error of a zero must not look like a market.
CLIPPED = 3.0
MAD_SPREAD = 1.4826  # median distance to spread, of a normal distribution
SPREAD_MIN = 1e-6  # of errors that are all the same


@dataclass
class Side:
    """One direction: how high the sum stands over its lowest point, and since when."""

    height: float = 0.0
    n: int = 0
    total: float = 0.0  # of the errors since
    since_ms: int = 0

    def add(self, step: float, error: float, at_ms: int) -> None:
        """Take in one error's step; what falls to the ground begins anew."""
        if self.height + step <= 0:
            self.height, self.n, self.total = 0.0, 0, 0.0
            return
        if self.n == 0:
            self.since_ms = at_ms
        self.height, self.n, self.total = self.height + step, self.n + 1, self.total + error


@dataclass
class Level:
    """State of a market, or a part of it."""

    test: LevelTest
    first: list[float] = field(default_factory=list)  # until they are enough
    mean: float = 0.0
    spread: float = 0.0  # 0: not enough errors yet
    up: Side = field(default_factory=Side)
    down: Side = field(default_factory=Side)

    def update(self, error: float, at_ms: int) -> Side | None:
        """Take in an error; the side that moved, if one did."""
        if not self.spread:
            self._learn(error)
            return None
        distance = _clipped((error - self.mean) / self.spread)
        self.up.add(distance - self.test.tolerated, error, at_ms)
        self.down.add(-distance - self.test.tolerated, error, at_ms)
        sides = (side for side in (self.up, self.down) if side.height > self.test.threshold)
        return next(sides, None)

    def _learn(self, error: float) -> None:
        self.first.append(error)
        if len(self.first) < self.test.warm_up:
            return
        middle = median(self.first)
        spread = MAD_SPREAD * median(abs(each - middle) for each in self.first) or SPREAD_MIN
        # The mean of what is added up later: its own distances, clipped alike.
        distances = [_clipped((each - middle) / spread) for each in self.first]
        self.mean, self.spread = middle + spread * sum(distances) / len(distances), spread
        self.first = []


def _clipped(distance: float) -> float:
    return min(max(distance, -CLIPPED), CLIPPED)


class LevelWatch:
    """All levels of one market."""

    def __init__(self, market: LevelTest = MARKET, part: LevelTest = PART) -> None:
        self._part = part
        self._levels: dict[str | None, Level] = {None: Level(market)}

    def update(self, row: Labelled) -> list[Finding]:
        """Take in one sale; tell the levels that moved with it."""
        found = []
        for segment in _segments(row):
            level = self._level(segment)
            side = level and level.update(row.error_log, row.sold_ms)
            if level and side:
                found.append(_finding(row, segment, level, side))
                self._levels[segment] = Level(level.test)
        return found

    def _level(self, segment: str | None) -> Level | None:
        if segment not in self._levels and len(self._levels) <= PARTS_MAX:
            self._levels[segment] = Level(self._part)
        return self._levels.get(segment)


def _segments(row: Labelled) -> Iterator[str | None]:
    """The whole market, and the parts that the sale belongs to."""
    yield None
    yield f"region={row.region}"
    if row.property_type:
        yield f"type={row.property_type}"


def _finding(row: Labelled, segment: str | None, level: Level, side: Side) -> Finding:
    value = side.total / side.n
    moved = math.expm1(value - level.mean)
    return Finding(
        cause=Cause.PRICE_LEVEL,
        market=row.market,
        segment=segment,
        value=value,
        baseline=level.mean,
        n=side.n,
        since_ms=side.since_ms,
        seen_ms=row.sold_ms,
        likely=f"homes sell {abs(moved):.1%} {'above' if moved > 0 else 'below'} what is answered,"
        " more than before: the market moved, or a publisher's prices did",
    )
