"""How good a price was: one table of figures, the same for naive, champion and answer."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray


class Figures(Struct, frozen=True):
    """`mdape`, `bias`, `within_10`, `coverage_90` and `mape` are shares: 0.1 is 10 %."""

    rows: int
    mae: float | None  # in the market's currency
    mdape: float | None  # median of |price / sale price - 1|
    bias: float | None  # median of price / sale price - 1
    within_10: float | None  # share within 10 % of the sale price
    coverage_90: float | None = None  # share of sales inside the 90 % interval
    rmse: float | None = None  # in the market's currency
    mape: float | None = None  # mean of |price / sale price - 1|
    r2: float | None = None  # of the price, share of its variance that is explained


def judge(
    price: NDArray[np.float64],
    sale_price: NDArray[np.float64],
    inside: NDArray[np.float64] | None = None,
) -> Figures:
    """Judge prices; NaN is a price (or in `inside`, an interval) that was not given.

    >>> figures = judge(np.array([110.0, 90.0, np.nan]), np.array([100.0, 100.0, 100.0]))
    >>> figures.rows, figures.mae, figures.mdape, figures.bias, figures.within_10
    (2, 10.0, 0.1, 0.0, 1.0)
    """
    given = ~np.isnan(price)
    if not given.any():
        return Figures(0, None, None, None, None)
    price, sale_price = price[given], sale_price[given]
    ratio = price / sale_price - 1
    off = np.round(np.abs(ratio), 12)  # 110 / 100 is within 10 %
    covered = None if inside is None else inside[given]
    return Figures(
        rows=len(price),
        mae=float(np.abs(price - sale_price).mean()),
        mdape=float(np.median(off)),
        bias=round(float(np.median(ratio)), 12),
        within_10=float((off <= 0.1).mean()),
        coverage_90=_mean_of_given(covered),
        rmse=float(np.sqrt(((price - sale_price) ** 2).mean())),
        mape=float(off.mean()),
        r2=r2(sale_price, price),
    )


def r2(given: NDArray[np.float64], said: NDArray[np.float64]) -> float:
    """Share of the variance explained; below 0 is worse than the mean.

    >>> r2(np.array([1.0, 3.0]), np.array([1.0, 2.0]))
    0.5
    """
    spread = float(((given - given.mean()) ** 2).sum())
    return 1 - float(((given - said) ** 2).sum()) / spread if spread > 0 else 0.0


def _mean_of_given(values: NDArray[np.float64] | None) -> float | None:
    if values is None or np.isnan(values).all():
        return None
    return float(np.nanmean(values))
