"""How far off a price may be: a rolling conformal quantile, wider or narrower by kind of home.

Half the width of the 90 % interval in log price is `quantile of the market * factor of
the region * factor of the segment`. The quantile is that of |log residual| / both
factors as served, rolling, over the market's newest sales (stages/learner.py). The
region's factor is its own, so that a quiet suburb is not given the centre's width. The
segment's is learned for the whole market, for five bands of the *predicted* price and
for each property type: what is cheap or dear for its market is harder to price. Bands
of the sale price would fail by construction: among the dearest sales are those that
were priced too low.

Only the quantile knows how large errors are. Both factors are relative to the market's
mean error, the *scale*, as it is when the sale comes, so on the whole they are 1. A
residual comes back weeks after it was served: were it taken against a scale of that
time, a scale that has changed would be made up for twice, and the width would swing.

What each of them gained: docs/architecture.md, section 5.
"""

import math
from bisect import bisect_right

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike

from stream_app.contract.models import CorrectorAnnounced
from stream_app.core.region import Decayed

COVERAGE = 0.9
SCORES_KEPT = 500  # the newest; older ones are of another market
# A quantile of so many covers 90 ± 2 %. Of fewer, what the champion's holdout says is nearer.
SCORES_MIN = 200
# Labels of the market. Of 30, the mean is known to 15 %; until then, the champion's holdout tells
# it. Longer, it lags behind a change of the errors, and the factors seem to grow with it.
SCALE_HALF_LIFE = 30
SCALE_LABELS_MIN = 30
REGION_HALF_LIFE = 100  # labels of the region
MARKET_PSEUDO_LABELS = 5  # how many labels of its own a region's factor needs to count as much
SCALE_DECAY: float = 0.5 ** (1 / SCALE_HALF_LIFE)
REGION_DECAY: float = 0.5 ** (1 / REGION_HALF_LIFE)

BANDS = 5  # of the predicted price, each with as many of the newest sales
SEGMENT_HALF_LIFE = 500  # labels of the segment
SEGMENT_PSEUDO_LABELS = 20  # how many of its own a factor needs to count as much as 1 does
TYPES_MAX = 64  # HDB has 7; what a publisher makes up beyond these shares the factor 1
_SEGMENT_DECAY = 0.5 ** (1 / SEGMENT_HALF_LIFE)


class Segments(Struct, array_like=True):
    """State of a market's segments: decayed mean error, relative to region and market."""

    edges_log: list[float] = []  # between the bands, rising; empty: none yet
    bands: list[Decayed] = msgspec.field(default_factory=lambda: [Decayed() for _ in range(BANDS)])
    types: dict[str, Decayed] = {}
    prices_log: list[float] = []  # as served, newest last: where the next edges come from


def quantile(scores: ArrayLike, coverage: float = COVERAGE) -> float | None:
    """The score that a new one stays below with probability `coverage`.

    Holds if scores are exchangeable; drift breaks that, so pass the newest only.

    Parameters
    ----------
    scores : shape (n,), not negative, any order
    coverage : in (0, 1); higher is wider

    Returns
    -------
    None while n is too small for the promise (below 9 at coverage 0.9)

    Raises
    ------
    ValueError : coverage outside (0, 1)

    Notes
    -----
    O(n). Lei et al., "Distribution-free predictive inference for regression",
    JASA 2018, algorithm 2.

    Examples
    --------
    >>> quantile([0.3, 0.1, 0.2], coverage=0.5)
    0.2
    >>> quantile([0.3, 0.1, 0.2]) is None
    True
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage is {coverage}, must lie between 0 and 1")
    values = np.asarray(scores, dtype=np.float64)
    rank = math.ceil((values.size + 1) * coverage)
    if rank > values.size:
        return None
    return float(np.partition(values, rank - 1)[rank - 1])


def decayed_add(mean: Decayed, value: float, decay: float) -> None:
    """Take one value into an exponentially weighted mean.

    >>> mean = Decayed()
    >>> for value in (1.0, 3.0):
    ...     decayed_add(mean, value, decay=0.5)
    >>> round(mean.total / mean.weight, 4)
    2.3333
    """
    mean.total = mean.total * decay + value
    mean.weight = mean.weight * decay + 1


def region_factor(region: Decayed) -> float:
    """How much wider than its market's the errors of a region are.

    >>> region_factor(Decayed())
    1.0
    >>> region_factor(Decayed(total=40.0, weight=20.0))
    1.8
    """
    return _shrunk(region, MARKET_PSEUDO_LABELS)


def observe(segments: Segments, price_log: float, property_type: str, ratio: float) -> None:
    """Take in a sale: the price as served, and its |log residual| / (region factor * scale)."""
    segments.prices_log.append(price_log)
    del segments.prices_log[:-SCORES_KEPT]
    if segments.edges_log:
        band = segments.bands[bisect_right(segments.edges_log, price_log)]
        ratio_of_type = ratio / shrunk(band)
        decayed_add(band, ratio, _SEGMENT_DECAY)
    else:
        ratio_of_type = ratio
    if property_type not in segments.types and len(segments.types) < TYPES_MAX:
        segments.types[property_type] = Decayed()
    if property_type in segments.types:
        decayed_add(segments.types[property_type], ratio_of_type, _SEGMENT_DECAY)


def move_edges(segments: Segments) -> None:
    """Part the newest prices into bands anew; each band keeps its factor."""
    if segments.prices_log:
        shares = [band / BANDS for band in range(1, BANDS)]
        segments.edges_log = np.quantile(segments.prices_log, shares).tolist()


def shrunk(segment: Decayed) -> float:
    """Factor of a segment: how much wider than its region's its errors are.

    >>> shrunk(Decayed())
    1.0
    >>> shrunk(Decayed(total=40.0, weight=20.0))
    1.5
    """
    return _shrunk(segment, SEGMENT_PSEUDO_LABELS)


def _shrunk(mean: Decayed, pseudo_labels: float) -> float:
    """A mean drawn towards 1, as by so many labels that say it."""
    return (mean.total + pseudo_labels) / (mean.weight + pseudo_labels)


def segment_factor(
    version: CorrectorAnnounced | None, price_log: float, property_type: str
) -> float:
    """Factor of a home's segment as of a version; 1 before the first, and for what is new."""
    if version is None:
        return 1.0
    of_type = version.type_factors.get(property_type, 1.0)
    if not version.band_factors:
        return of_type
    return version.band_factors[bisect_right(version.band_edges_log, price_log)] * of_type
