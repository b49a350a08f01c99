"""Prices brought to the level of one day: that of the newest sale trained on.

Trees see no date, so of homes sold before and after prices moved they learn the mean, a price
that no day had. Appraisers time-adjust sales for that. What a first fit leaves over, smoothed
over days, is how the level moved: the market's first, then each region's on what is left. Each
price is moved by the level from its day to the last one. Only what is trained on is looked at.

On the last day the smoothing has one side only, and a region few sales: a level that is no more
than chance would be put on all of the region's prices. So a region's level counts by as much as
it stands out of chance (Breiman's garrote: "Better subset regression using the nonnegative
garrote", Technometrics 1995): a shock almost whole, noise not at all.

Not here: the first fit (train.py).
"""

import numpy as np
from numpy.typing import NDArray

from stream_app.contract.spans import DAY_MS

# Two weeks either way: a step in prices is told within that, and a month of a region has sales.
WIDTH_DAYS = 14
# Standard errors below which a region's level is taken for chance.
CHANCE_ERRORS = 2.0
_FAR_DAYS = np.arange(-4 * WIDTH_DAYS, 4 * WIDTH_DAYS + 1)
_KERNEL = np.exp(-0.5 * (_FAR_DAYS / WIDTH_DAYS) ** 2)


def moves(
    residual_log: NDArray[np.float64], sold_ms: NDArray[np.int64], region: NDArray[np.str_]
) -> NDArray[np.float64]:
    """How far the level has moved from each sale to the newest one, log units; shape (n,).

    Parameters
    ----------
    residual_log : log price less what a model without dates says

    Notes
    -----
    O(n + regions * days). Prices rise by a tenth (0.0953) in the middle of 200 days:

    >>> days = np.arange(200)
    >>> risen = np.where(days < 100, 0.0, 0.0953)
    >>> told = moves(np.repeat(risen, 5), np.repeat(days, 5) * DAY_MS, np.repeat("r", 1_000))
    >>> [round(float(told[5 * day]), 3) for day in (10, 99, 101, 190)]
    [0.095, 0.049, 0.044, 0.0]
    """
    day = (sold_ms - sold_ms.min()) // DAY_MS
    days = int(day.max()) + 1
    market, _ = _smoothed(residual_log, day, days)
    moved: NDArray[np.float64] = market[-1] - market[day]
    left = residual_log - market[day]
    spread = float(left.std())
    for name in np.unique(region):
        own = region == name
        level, errors = _smoothed(left[own], day[own], days)
        level *= _share(level, CHANCE_ERRORS * spread * errors)
        moved[own] += level[-1] - level[day[own]]
    return moved


def _smoothed(
    residual_log: NDArray[np.float64], day: NDArray[np.int64], days: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean around each day, and its standard error as a multiple of the residuals' spread."""
    inner = slice(len(_KERNEL) // 2, len(_KERNEL) // 2 + days)
    sums = np.convolve(np.bincount(day, residual_log, days), _KERNEL)[inner]
    sales = np.bincount(day, minlength=days)
    weights = np.convolve(sales, _KERNEL)[inner]
    squares = np.convolve(sales, _KERNEL**2)[inner]
    known = weights > 0
    means, errors = np.zeros(days), np.full(days, np.inf)
    means[known] = sums[known] / weights[known]
    errors[known] = np.sqrt(squares[known]) / weights[known]
    return means, errors


def _share(level: NDArray[np.float64], chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of a level counts: 0 within chance, nearly 1 far beyond it.

    >>> _share(np.array([0.01, 0.04, -0.2]), np.full(3, 0.02)).tolist()
    [0.0, 0.75, 0.99]
    """
    beyond = np.abs(level) > chance
    share = np.zeros_like(level)
    share[beyond] = 1 - (chance[beyond] / level[beyond]) ** 2
    return share
