"""A second worker joins while a steady load comes, and leaves in order: how long nothing is seen.

Looked at is each partition by itself: that of which no prediction was seen for the longest time.
"""

import time
from collections.abc import Callable, Iterable
from itertools import pairwise

from bench import contestants
from bench.champion import Models
from bench.contestants import OURS, has_opened
from bench.flow import Flow, flowing
from bench.ground import Ground
from bench.measure import Failed
from bench.reader import Visible
from stream_app.contract.topics import DEFAULT_PARTITIONS

_WARM_UP_S = 5
_WITHIN_S = 60  # a worker's start, or its end, beside others that keep all cores busy
_AFTER_S = 6  # all is shared out anew by then; a gap that lasts on is told as far as it went


def rebalanced(on: Ground, models: Models, rate: int) -> dict[str, float]:
    """The longest gaps before, while a worker joins, and while it leaves.

    Raises
    ------
    Failed : it was given no partition, or did not end
    """
    with flowing(on, models) as flow:
        flow.send(_WARM_UP_S, rate)
        steady_s = _gap_until(flow, rate, lambda: True, "begin")
        second = contestants.start(OURS, on, models, flow.prefix, number=1)
        join_s = _gap_until(flow, rate, lambda: has_opened(second), "open a partition")
        second.process.terminate()
        leave_s = _gap_until(flow, rate, lambda: second.process.poll() is not None, "end")
        on.programs.stop(second)
    return {
        "rebalance_gap_before_s": steady_s,
        "rebalance_join_s": join_s,
        "rebalance_sigterm_s": leave_s,
        "rebalance_s": max(join_s, leave_s),
    }


def _gap_until(flow: Flow, rate: int, done: Callable[[], bool], task: str) -> float:
    """Publish until it is done, and some seconds more; the longest gap in that time."""
    begin_s = time.time()
    while not done():
        if time.time() - begin_s > _WITHIN_S:
            raise Failed(f"the second worker did not {task} within {_WITHIN_S} s")
        flow.send(1, rate)
    flow.send(_AFTER_S, rate)
    return longest_gap_s(flow.seen, begin_s, time.time())


def longest_gap_s(seen: Iterable[Visible], begin_s: float, end_s: float) -> float:
    """Of all partitions, the longest time in which nothing of one was seen; its ends count."""
    times_s = [
        (one.cause.partition, one.received_ms / 1_000)
        for one in seen
        if begin_s < one.received_ms / 1_000 < end_s
    ]
    return max(
        later - earlier
        for partition in range(DEFAULT_PARTITIONS)
        for earlier, later in pairwise(
            [begin_s, *(at_s for of, at_s in times_s if of == partition), end_s]
        )
    )
