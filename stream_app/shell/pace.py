"""How long the broker may gather records for the next fetch. Knows no clock and no consumer.

A fetch, and the transaction of each partition it has records of, cost about the same whatever
they hold. A record that comes alone is fetched at once. Where records come one after the other,
a fetch waits a few milliseconds, so that one answer holds those of all partitions; and with a
lag, there is enough to answer at once.
"""

import math
from typing import NamedTuple


class Wait(NamedTuple):
    """What a fetch is told: answer when so much is there, and after so long in any case."""

    max_ms: int
    min_bytes: int


# The time of a fetch that found nothing: it holds up the busy partitions of the same broker when
# it waits at an idle one.
AT_ONCE = Wait(100, 1)
# Of 1,000 events a second on four partitions, 2 or 3 for each transaction. 64 kB are about 150
# events: less than a full batch, and more than comes in 10 ms without a lag.
GATHERING = Wait(10, 64_000)
# 20 records a second: gathering for 10 ms what comes more rarely would gather nothing.
_OFTEN_S = 0.05


class Pace:
    """One consumer's: from when records came last, how the next fetch waits."""

    def __init__(self) -> None:
        self._came_s = -math.inf

    def after(self, found: bool, now_s: float) -> Wait:
        """Say how to fetch after a fetch that ended now, and did or did not find records."""
        often = found and now_s - self._came_s < _OFTEN_S
        if found:
            self._came_s = now_s
        return GATHERING if often else AT_ONCE
