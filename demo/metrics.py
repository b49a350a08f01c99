"""How good the answers were: errors of what was served, judged when the sale came.

Amounts are in the market's currency, shares are fractions. Only outcomes whose
listing was answered by a champion are judged, so that naive, champion and answer
are compared on the same homes. A figure without any row is None, never 0.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from stream_app.contract.predictions import Outcome, Step


class Judged(NamedTuple):
    """One sale beside what was said when the home was listed."""

    sale: float
    answer: float
    champion: float
    naive: float | None  # None: no sale was known in the region then
    low: float | None
    high: float | None


def judge(outcome: Outcome) -> Judged | None:
    """Take what is judged from an outcome; None when no champion had answered."""
    parts = outcome.components
    if outcome.step is not Step.CHAMPION or outcome.price is None or parts.champion_log is None:
        return None
    return Judged(
        sale=outcome.sale_price,
        answer=outcome.price,
        champion=math.exp(parts.champion_log),
        naive=None if parts.naive_log is None else math.exp(parts.naive_log),
        low=outcome.price_low,
        high=outcome.price_high,
    )


class Errors(NamedTuple):
    """What `rows` judged sales come to."""

    rows: int
    mae_naive: float | None
    mae_champion: float | None
    mae_answer: float | None
    mdape_naive: float | None
    mdape_champion: float | None
    mdape_answer: float | None
    bias_answer: float | None  # median of answer / sale - 1, as in offline's backtest
    coverage_90: float | None  # share of sales inside of the interval, where there was one


def errors(rows: Sequence[Judged]) -> Errors:
    """Compare naive, champion and answer on the same sales."""
    naive = [(row.sale, row.naive) for row in rows if row.naive is not None]
    champion = [(row.sale, row.champion) for row in rows]
    answer = [(row.sale, row.answer) for row in rows]
    inside = [
        row.low <= row.sale <= row.high
        for row in rows
        if row.low is not None and row.high is not None
    ]
    return Errors(
        rows=len(rows),
        mae_naive=_over(statistics.fmean, _amounts(naive)),
        mae_champion=_over(statistics.fmean, _amounts(champion)),
        mae_answer=_over(statistics.fmean, _amounts(answer)),
        mdape_naive=_over(statistics.median, _shares(naive)),
        mdape_champion=_over(statistics.median, _shares(champion)),
        mdape_answer=_over(statistics.median, _shares(answer)),
        bias_answer=_over(statistics.median, [said / sale - 1 for sale, said in answer]),
        coverage_90=_over(statistics.fmean, inside),
    )


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of the values do not exceed.

    >>> quantile([3.0, 1.0, 2.0], 0.5), quantile([], 0.5)
    (2.0, None)
    """
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _amounts(pairs: Sequence[tuple[float, float]]) -> list[float]:
    return [abs(said - sale) for sale, said in pairs]


def _shares(pairs: Sequence[tuple[float, float]]) -> list[float]:
    return [abs(said / sale - 1) for sale, said in pairs]


def _over(statistic: Callable[[Sequence[float]], float], values: Sequence[float]) -> float | None:
    return statistic(values) if values else None
