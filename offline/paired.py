"""Which of two answers to the same homes is nearer to the sale, and whether chance explains it.

A paired bootstrap by blocks of time: what was listed in the same span is drawn together,
because a price level that moves is wrong for all of it alike, and homes one by one would
look like more evidence than they are. Nothing is assumed of how errors are distributed.

Not here: what is enough (gate.py), and which homes (gate_evidence.py).
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Gain(Struct, frozen=True):
    """What the later answers save of the earlier ones' mean error, in one group of homes."""

    rows: int
    value: float  # share; below 0: they are farther off
    p_no_better: float  # of a gain so large where there is none
    p_no_worse: float  # of a loss so large where there is none


def gains(
    before: Floats,
    after: Floats,
    blocks: NDArray[np.int64],
    groups: Sequence[NDArray[np.bool_]],
    resamples: int,
    seed: int,
) -> list[Gain]:
    """Judge every group of homes on the same resampled blocks.

    Parameters
    ----------
    before, after : shape (homes,), absolute errors on the same homes
    blocks : shape (homes,), the span of time each home belongs to
    groups : each of shape (homes,), true for its members; none may be empty

    Notes
    -----
    O(resamples * blocks * groups). Davison and Hinkley, "Bootstrap Methods and their
    Application", 1997, chapters 2 (ratio of means) and 4 (p values).
    """
    _, block = np.unique(blocks, return_inverse=True)
    count = int(block.max()) + 1
    saved = np.array([np.bincount(block[g], (before - after)[g], count) for g in groups])
    erred = np.array([np.bincount(block[g], before[g], count) for g in groups])
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    with np.errstate(invalid="ignore"):  # 0 / 0: a resample without any home of the group
        resampled = (drawn @ saved.T) / (drawn @ erred.T)
    return [
        Gain(
            rows=int(group.sum()),
            value=float(saved[place].sum() / erred[place].sum()),
            p_no_better=_share(resampled[:, place] <= 0),
            p_no_worse=_share(resampled[:, place] >= 0),
        )
        for place, group in enumerate(groups)
    ]


def _share(resamples: NDArray[np.bool_]) -> float:
    """Never 0: the sample itself is one of them."""
    return float((resamples.sum() + 1) / (resamples.size + 1))
