"""How good prices were, held against their sales. Pure.

`answer` is what was served, `champion` the offline model alone, `naive` the regional
median per m2 times the area. All three are judged on the same sales: those where each
of them that answered at all gave an answer.
"""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from msgspec import Struct

NAIVE, CHAMPION, ANSWER = "naive", "champion", "answer"
SOLD, SALE = "sold", "sale_price"


class Errors(Struct, frozen=True, kw_only=True):
    """Prices of one kind in one window. "log" is natural; positive means too high."""

    sales: int
    mae: float  # in the market's currency
    mdape: float  # median of |price / sale price - 1|
    bias_log: float  # mean of log price less log sale price
    within_10_percent: float  # share of prices
    coverage_90: float | None  # share of sales inside the interval; served prices only


class Rise(Struct, frozen=True, kw_only=True):
    """How the mean |log error| of the answers changed from the reference to now."""

    before: float
    now: float
    standard_errors: float  # the difference, in units of what chance explains

    @property
    def relative(self) -> float:
        return self.now / self.before - 1 if self.before > 0 else math.inf


def prices(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Give what sold when for how much, and each kind of price, on sales where all answered."""
    if outcomes.empty:
        return pd.DataFrame(columns=[SOLD, SALE])
    columns = {
        SOLD: pd.to_datetime(outcomes["sold_ms"], unit="ms"),
        SALE: outcomes["sale_price"],
        NAIVE: np.exp(outcomes["components_naive_log"].astype(float)),
        CHAMPION: np.exp(outcomes["components_champion_log"].astype(float)),
        ANSWER: outcomes["price"].astype(float),
    }
    frame = pd.DataFrame(columns, index=outcomes.index).dropna(axis="columns", how="all")
    return frame.dropna()


def errors(outcomes: pd.DataFrame) -> Mapping[str, Errors]:
    """Judge each kind of price that answered."""
    frame = prices(outcomes)
    if frame.empty:
        return {}
    covered = _coverage(outcomes.loc[frame.index])
    return {
        kind: _judge(frame[kind], frame[SALE], covered if kind == ANSWER else None)
        for kind in (NAIVE, CHAMPION, ANSWER)
        if kind in frame
    }


def rise(reference: pd.DataFrame, current: pd.DataFrame) -> Rise:
    """Compare |log error| of the answers in two frames of `prices`, of two rows or more each."""
    before, now = (np.abs(np.log(frame[ANSWER] / frame[SALE])) for frame in (reference, current))
    chance = math.sqrt(float(before.var()) / len(before) + float(now.var()) / len(now))
    difference = float(now.mean() - before.mean())
    return Rise(
        before=float(before.mean()),
        now=float(now.mean()),
        standard_errors=difference / chance if chance > 0 else math.copysign(math.inf, difference),
    )


def _judge(price: pd.Series, sale: pd.Series, coverage: float | None) -> Errors:
    relative = np.abs(price / sale - 1)
    return Errors(
        sales=len(sale),
        mae=float(np.mean(np.abs(price - sale))),
        mdape=float(np.median(relative)),
        bias_log=float(np.mean(np.log(price / sale))),
        within_10_percent=float(np.mean(relative <= 0.1)),
        coverage_90=coverage,
    )


def _coverage(outcomes: pd.DataFrame) -> float | None:
    """Share of sales inside their interval, among those that had one."""
    known = outcomes.dropna(subset=["price_low", "price_high"])
    if known.empty:
        return None
    return float(np.mean(known["sale_price"].between(known["price_low"], known["price_high"])))
