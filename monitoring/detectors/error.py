"""Answers get worse: ADWIN on the size of the log error, per market. The concept-drift flag.

Finds what has no direction: errors that spread, a model that forgot a part of the market.
Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing", SDM 2007;
river's implementation.
"""

from collections import deque

from river.drift import ADWIN

from monitoring.detectors.finding import Cause, Finding, Labelled

# Errors 30 % larger are found after some 500 labels; in quiet months it tells nothing
# (docs/monitoring.md has the command). River's own 0.002 misses two of six of them.
CONFIDENCE = 0.05
# An error of e^1, times 2.7, is a typing error or a unit: others find those.
CLIPPED_LOG = 1.0
WINDOW_MAX = 20_000  # times kept, to say since when


class ErrorWatch:
    """The size of a market's errors."""

    def __init__(self, confidence: float = CONFIDENCE) -> None:
        self._adwin = ADWIN(delta=confidence)
        self._times_ms: deque[int] = deque(maxlen=WINDOW_MAX)

    def update(self, row: Labelled) -> list[Finding]:
        """Take in one sale; tell when errors are larger than they were. Smaller is no finding."""
        error = min(abs(row.error_log), CLIPPED_LOG)
        total, width = self._adwin.total + error, self._adwin.width + 1
        self._times_ms.append(row.sold_ms)
        self._adwin.update(error)
        if not self._adwin.drift_detected:
            return []
        n, value = int(self._adwin.width), self._adwin.estimation
        before = (total - self._adwin.total) / (width - n)  # the mean of what was dropped
        if value <= before:
            return []
        return [
            Finding(
                cause=Cause.ERROR,
                market=row.market,
                segment=None,
                value=value,
                baseline=before,
                n=n,
                since_ms=self._times_ms[-min(n, len(self._times_ms))],
                seen_ms=row.sold_ms,
                likely="the model no longer fits: the market changed, or what is sent about homes",
            )
        ]
