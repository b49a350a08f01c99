"""Numbers are spread in another way than they were: a sketch of each field, per market.

Idea. The first values give ten equally full bins; each later window of as many values is counted
into them. How far the shares lie apart is told as an effect size (Cohen's w, 0 for the same),
with the chance of seeing as much in samples of these sizes. Whether that is much, of how many
fields at once, is the policy's business: a finding is made of every window whose effect is not
small, and that window is what later ones are held against. The memory is one window a field.

J. Cohen, "Statistical power analysis for the behavioral sciences", 1988, chapter 7.
"""

import bisect
import math
from dataclasses import dataclass, field

import msgspec
from scipy.special import chdtrc

from monitoring.detectors.finding import Cause, Event, Finding
from stream_app.contract.events import Event as ContractEvent

WINDOW = 1_000
BINS = 10
EFFECT_MIN = 0.3  # Cohen's medium; two windows of this size show 0.13 by chance
FIELDS_MAX = 60
# What every event has, and what moves with time by nature.
ENVELOPE = {field.name for field in msgspec.structs.fields(ContractEvent)} | {"revision"}


@dataclass
class Sketch:
    """State of one field."""

    values: list[float] = field(default_factory=list)  # of the window that is open
    edges: list[float] = field(default_factory=list)
    usual: list[int] = field(
        default_factory=list
    )  # its counts in the window that others are held against
    since_ms: int = 0

    def update(self, value: float, at_ms: int) -> tuple[float, float] | None:
        """Take in a value; at the end of a window that is another, its effect size and chance."""
        if not self.values:
            self.since_ms = at_ms
        self.values.append(value)
        if len(self.values) < WINDOW:
            return None
        told = _apart(self.usual, self._counted()) if self.usual else None
        is_other = told is not None and told[0] >= EFFECT_MIN
        if told is None or is_other:
            self._begin()
        self.values = []
        return told if is_other else None

    def _begin(self) -> None:
        ordered = sorted(self.values)
        # Values that come often, such as 3 bedrooms, make fewer bins.
        self.edges = sorted({ordered[k * WINDOW // BINS] for k in range(1, BINS)})
        self.usual = self._counted()

    def _counted(self) -> list[int]:
        counts = [0] * (len(self.edges) + 1)
        for value in self.values:
            counts[bisect.bisect_right(self.edges, value)] += 1
        return counts


class InputWatch:
    """All numbers of listings of one market."""

    def __init__(self) -> None:
        self._sketches: dict[str, Sketch] = {}

    def update(self, event: Event) -> list[Finding]:
        """Take in one event; tell the fields whose window ended with it, and is another."""
        found = []
        for name, value in event.fields.items():
            if name in ENVELOPE or isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if name in self._sketches or len(self._sketches) < FIELDS_MAX:
                sketch = self._sketches.setdefault(name, Sketch())
                told = sketch.update(value, event.at_ms)
                if told is not None:
                    found.append(_finding(event, name, sketch.since_ms, *told))
        return found


def _apart(usual: list[int], now: list[int]) -> tuple[float, float]:
    """Effect size between two windows of equal size, and the chance of chi-square.

    >>> _apart([500, 500], [500, 500])
    (0.0, 1.0)
    >>> effect, chance = _apart([500, 500], [600, 400])
    >>> round(effect, 2), chance < 1e-4
    (0.2, True)
    """
    pairs = [(a, b) for a, b in zip(usual, now, strict=True) if a + b > 0]
    chi_square = sum((a - b) ** 2 / (a + b) for a, b in pairs)
    # Against the mean of both windows: a bin that was empty divides by no 0.
    effect = math.sqrt(2 * chi_square / (sum(usual) + sum(now))) * math.sqrt(2)
    return effect, float(chdtrc(max(1, len(pairs) - 1), chi_square))


def _finding(event: Event, name: str, since_ms: int, effect: float, chance: float) -> Finding:
    return Finding(
        cause=Cause.INPUT,
        market=event.market,
        segment=f"field={name}",
        value=effect,
        baseline=0.0,
        n=WINDOW,
        since_ms=since_ms,
        seen_ms=event.at_ms,
        likely=f"other homes are listed, or {name} means another thing; some is season",
        p_value=chance,
    )
