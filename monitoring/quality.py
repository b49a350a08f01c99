"""How good prices were, held against their sales. Pure.

`answer` is what was served, `champion` the offline model alone, `naive` the regional
median per m2 times the area. All three are judged on the same sales: those where each
of them that answered at all gave an answer.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from msgspec import Struct

NAIVE, CHAMPION, ANSWER = "naive", "champion", "answer"


class Errors(Struct, frozen=True, kw_only=True):
    """Prices of one kind in one window. "log" is natural; positive means too high."""

    sales: int
    mae: float  # in the market's currency
    mdape: float  # median of |price / sale price - 1|
    bias_log: float  # mean of log price less log sale price
    within_10_percent: float  # share of prices
    coverage_90: float | None  # share of sales inside the interval; served prices only


def log_prices(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Give the log of the sale price and of each kind of price, on sales where all answered."""
    if outcomes.empty:
        return pd.DataFrame(columns=["sale"], dtype=float)
    columns = {
        "sale": np.log(outcomes["sale_price"]),
        NAIVE: outcomes["components_naive_log"].astype(float),
        CHAMPION: outcomes["components_champion_log"].astype(float),
        ANSWER: np.log(outcomes["price"].astype(float)),
    }
    frame = pd.DataFrame(columns, index=outcomes.index).dropna(axis="columns", how="all")
    return frame.dropna()


def errors(outcomes: pd.DataFrame) -> Mapping[str, Errors]:
    """Judge each kind of price that answered."""
    logs = log_prices(outcomes)
    if logs.empty:
        return {}
    covered = _coverage(outcomes.loc[logs.index])
    return {
        kind: _judge(logs[kind], logs["sale"], covered if kind == ANSWER else None)
        for kind in (NAIVE, CHAMPION, ANSWER)
        if kind in logs
    }


def _judge(price_log: pd.Series, sale_log: pd.Series, coverage: float | None) -> Errors:
    relative = np.abs(np.expm1(price_log - sale_log))
    return Errors(
        sales=len(sale_log),
        mae=float(np.mean(np.abs(np.exp(price_log) - np.exp(sale_log)))),
        mdape=float(np.median(relative)),
        bias_log=float(np.mean(price_log - sale_log)),
        within_10_percent=float(np.mean(relative <= 0.1)),
        coverage_90=coverage,
    )


def _coverage(outcomes: pd.DataFrame) -> float | None:
    """Share of sales inside their interval, among those that had one."""
    known = outcomes.dropna(subset=["price_low", "price_high"])
    if known.empty:
        return None
    return float(np.mean(known["sale_price"].between(known["price_low"], known["price_high"])))
