"""Does the 90 % interval hold 90 % of the sales, in every segment and not only on the whole?

Segments are regions, property types, and five bands of the *predicted* price. Bands of
the sale price would judge by the outcome: among the dearest sales are those that were
priced too low, so a right interval fails there by construction.

Of a segment with many sales the share itself is judged; of a small one whether chance
explains it, by an exact binomial test, corrected for their number, as one in twenty would
fail by chance otherwise. All limits: gate.toml.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.stats import binomtest

from offline import discoveries
from offline.criteria import Criteria
from stream_app.contract.predictions import Outcome
from stream_app.scoring.interval import COVERAGE

BANDS = 5


class Segment(Struct, frozen=True):
    """One segment and what became of it."""

    kind: str
    name: str
    rows: int
    coverage: float
    p_value: float | None  # of a small one: as far off, or farther, by chance; None: it is large
    holds: bool


class Coverage(Struct, frozen=True):
    """What the interval holds, over all and by segment."""

    rows: int
    coverage: float
    holds: bool
    segments: tuple[Segment, ...]

    def lines(self) -> Iterator[str]:
        """The verdicts in words: the whole, what fails, and how many hold."""
        yield _line("overall", self.rows, self.coverage, self.holds)
        for segment in self.segments:
            if not segment.holds:
                yield _line(f"{segment.kind} {segment.name}", segment.rows, segment.coverage, False)
        for kind in dict.fromkeys(segment.kind for segment in self.segments):
            found = [segment for segment in self.segments if segment.kind == kind]
            shares = [segment.coverage for segment in found if segment.p_value is None]
            large = f", {min(shares):.1%} to {max(shares):.1%}" if shares else ""
            kept = sum(segment.holds for segment in found)
            yield f"{kind}: {kept} of {len(found)} hold; {len(shares)} large{large}"


def judge(served: Sequence[Outcome], limits: Criteria) -> Coverage | None:
    """Judge the intervals that were served; None without any."""
    given = [o for o in served if o.price_low is not None]
    if not given:
        return None
    inside = np.array([_inside(o) for o in given])
    found = [
        _segment(kind, str(name), inside[labels == name], limits)
        for kind, labels in segments(given).items()
        for name in np.unique(labels)
    ]
    overall = float(inside.mean())
    holds = limits.coverage_min <= overall <= limits.coverage_max
    return Coverage(len(given), overall, holds, tuple(_discover(found, limits)))


def segments(answered: Sequence[Outcome]) -> dict[str, NDArray[np.str_]]:
    """What each priced home counts to: by kind of segment, the segment's name."""
    prices = np.array([o.price for o in answered], dtype=np.float64)
    edges = np.quantile(prices, [band / BANDS for band in range(1, BANDS)])
    bands = np.array([_band_name(edges, band) for band in range(BANDS)])
    return {
        "region": np.array([o.region for o in answered]),
        "type": np.array([o.property_type for o in answered]),
        "price band": bands[np.searchsorted(edges, prices, side="right")],
    }


def _inside(outcome: Outcome) -> bool:
    low, high = outcome.price_low, outcome.price_high
    return low is not None and high is not None and low <= outcome.sale_price <= high


def _band_name(edges: np.ndarray, band: int) -> str:
    low = "0" if band == 0 else f"{edges[band - 1]:,.0f}"
    high = f" to {edges[band]:,.0f}" if band < len(edges) else " and more"
    return f"{band + 1}: {low}{high}"


def _segment(kind: str, name: str, inside: np.ndarray, limits: Criteria) -> Segment:
    rows, share = len(inside), float(inside.mean())
    if rows >= limits.coverage_segment_rows:
        holds = limits.coverage_segment_min <= share <= limits.coverage_segment_max
        return Segment(kind, name, rows, share, None, holds)
    p_value = float(binomtest(int(inside.sum()), rows, COVERAGE).pvalue)
    return Segment(kind, name, rows, share, p_value, holds=True)


def _discover(found: Sequence[Segment], limits: Criteria) -> Iterator[Segment]:
    """The same; small ones that chance does not explain no longer hold."""
    p_values = [s.p_value for s in found if s.p_value is not None]
    worst = discoveries.limit(p_values, limits.false_discoveries_max)
    for s in found:
        explained = s.holds if s.p_value is None else s.p_value > worst
        yield Segment(s.kind, s.name, s.rows, s.coverage, s.p_value, explained)


def _line(what: str, rows: int, coverage: float, holds: bool) -> str:
    return f"{what}: {coverage:.1%} of n = {rows:,}, {'holds' if holds else 'FAILS'}"
