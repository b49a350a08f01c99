"""The first errors of a new champion lie far from those of its holdout: a leak, or a skew.

Idea. A model is promoted for what it showed on sales that it was not trained on. Its first sales
in service are such sales, too, some days later: their mean error must be about the same. If it
is greater, training saw what serving does not (a leak), or served features are not the trained
ones (a skew). If it is far smaller, what is served tells the sale: nobody predicts so well. Judged
once, on the champion alone: what the corrector mends would hide it. Every
sale after the swap tells, whoever answered at the listing, so it is known on the first day.
"""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from monitoring.detectors.finding import Cause, Finding

# Errors spread about as much as their mean: of so many, the mean is known to 10 %.
LABELS = 100
# A month's market is up to 10 % harder than another; a lost feature costs more.
DEPARTURE_MAX = 0.25
ERRORS_MIN = 4.0  # standard errors: once in 30,000 champions by chance
CLIPPED_LOG = 1.0  # as in error.py
_WORSE = (
    "the champion is worse in service than on its holdout: training saw what serving does not,"
    " features are not served as trained, or the market moved"
)
_BETTER = (
    "the champion is far better in service than on its holdout: a feature as served tells the"
    " sale (a leak), or these homes are others than those of the holdout"
)


class SkewWatch:
    """The first sales of one champion."""

    def __init__(self, holdout: Sequence[float]) -> None:
        """Errors of the holdout, |log sale price - log price|; with fewer than two none is told."""
        self._holdout = [min(error, CLIPPED_LOG) for error in holdout]
        self._live: list[float] = []
        self._since_ms = 0

    def update(self, market: str, sold_ms: int, error_log: float) -> list[Finding]:
        """Take in one sale and the champion's own error; tell once, at the last that is needed."""
        if len(self._holdout) < 2 or len(self._live) >= LABELS:
            return []
        self._since_ms = self._since_ms or sold_ms
        self._live.append(min(abs(error_log), CLIPPED_LOG))
        if len(self._live) < LABELS or not self._is_far():
            return []
        return [
            Finding(
                cause=Cause.SKEW,
                market=market,
                segment=None,
                value=fmean(self._live),
                baseline=fmean(self._holdout),
                n=LABELS,
                since_ms=self._since_ms,
                seen_ms=sold_ms,
                likely=_WORSE if self._rise() > 0 else _BETTER,
            )
        ]

    def _rise(self) -> float:
        return fmean(self._live) - fmean(self._holdout)

    def _is_far(self) -> bool:
        departure = abs(self._rise())
        chance = math.hypot(_error_of_mean(self._live), _error_of_mean(self._holdout))
        return departure > max(DEPARTURE_MAX * fmean(self._holdout), ERRORS_MIN * chance)


def _error_of_mean(errors: Sequence[float]) -> float:
    return stdev(errors) / math.sqrt(len(errors))
