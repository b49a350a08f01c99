"""How far off a price may be: a rolling conformal quantile, scaled by the region.

Half the width of the 90 % interval in log price is `quantile of scores * scale
of the region`, where a score is |log residual| / scale as it was served. The
quantile is the market's (rolling, from its newest sales: stages/learner.py), the
scale is the region's own, so that a quiet suburb is not given the centre's
width. Market-wide quantiles alone covered 65 to 97 % of a region's sales.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from stream_app.core.region import Decayed

COVERAGE = 0.9
SCORES_KEPT = 500  # the newest; older ones are of another market
SCALE_HALF_LIFE = 100  # labels
MARKET_PSEUDO_LABELS = 20  # how many labels of its own a region's scale needs to count as much
_DECAY = 0.5 ** (1 / SCALE_HALF_LIFE)


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


def decayed_add(mean: Decayed, value: float, decay: float = _DECAY) -> None:
    """Take one value into an exponentially weighted mean.

    >>> mean = Decayed()
    >>> for value in (1.0, 3.0):
    ...     decayed_add(mean, value, decay=0.5)
    >>> round(mean.total / mean.weight, 4)
    2.3333
    """
    mean.total = mean.total * decay + value
    mean.weight = mean.weight * decay + 1


def scale(region: Decayed, market_scale: float) -> float:
    """Mean |log residual| to expect of a region, shrunk towards its market's.

    >>> scale(Decayed(), 0.1)
    0.1
    >>> round(scale(Decayed(total=4.0, weight=20.0), 0.1), 3)
    0.15
    """
    return (region.total + MARKET_PSEUDO_LABELS * market_scale) / (
        region.weight + MARKET_PSEUDO_LABELS
    )
