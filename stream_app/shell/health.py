"""Is this worker well, is it ready? In words, for /health, /ready and whoever reads them.

Well is who makes progress, or has nothing to do. What is judged is what the watchdog
judges, by the same limit: a page of 503 and the end of the process are one verdict.
A broker that does not answer makes no worker unwell, as a restart would not mend it;
it makes it unready. So does a partition that is not open yet, or a market whose
announced champion nobody serves. A worker that was given no partition is ready: there
may be more workers than partitions.
"""

import os
import time
from collections.abc import Callable, Collection
from typing import NamedTuple

from stream_app.shell.runner import Runner
from stream_app.shell.watchdog import LOOK_WITHIN_S, THE_GROUP, Watchdog


class Report(NamedTuple):
    """An answer: `reasons` say what is wrong; none, and all is well."""

    reasons: tuple[str, ...]
    body: dict[str, object]


class Health:
    """Asked from threads of the web server."""

    def __init__(
        self,
        runner: Runner,
        watchdog: Watchdog,
        unserved: Callable[[], Collection[str]],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runner = runner
        self._watchdog = watchdog
        self._unserved = unserved  # markets whose announced champion does not serve
        self._now_s = now_s
        self._started_s = now_s()

    def health(self) -> Report:
        """Whether there is progress, wherever there is something to do."""
        return self._report(self._unwell())

    def ready(self) -> Report:
        """Whether it is well, has read its state, and has its models."""
        return self._report([*self._unwell(), *self._unready()])

    def _unwell(self) -> list[str]:
        dog = self._watchdog
        reasons = [
            f"{_called(partition)} stands still for {one.still_s:.0f} s, {dog.stall_s:g} s are allowed"
            for partition, one in dog.newest.items()
            if one.still_s >= dog.stall_s
        ]
        age_s = self._now_s() - dog.looked_s
        if age_s > LOOK_WITHIN_S:
            reasons.append(f"the watchdog has not looked for {age_s:.0f} s")
        return reasons

    def _unready(self) -> list[str]:
        reasons = [
            f"market {market}: a champion is announced, and none serves"
            for market in self._unserved()
        ]
        if self._runner.reading.assigned.partitions is None:
            reasons.append("not in the group, or between two assignments")
        for partition, offset in sorted(self._runner.next_offsets().items()):
            if offset is None:
                reasons.append(f"partition {partition} is not open yet")
        if any(one.seen.end is None for one in self._watchdog.newest.values()):
            reasons.append("the broker does not answer")
        return reasons

    def _report(self, reasons: list[str]) -> Report:
        body = {
            "reasons": reasons,
            "stage": self._runner.stage.NAME,
            "pid": os.getpid(),
            "up_s": round(self._now_s() - self._started_s, 1),
            "looks": self._watchdog.looks,
            "partitions": {
                str(partition): {
                    "next_offset": one.seen.next_offset,
                    "end": one.seen.end,
                    "lag": one.seen.lag,
                    "still_s": round(one.still_s, 1),
                }
                for partition, one in self._watchdog.newest.items()
                if partition != THE_GROUP
            },
        }
        return Report(tuple(reasons), body)


def _called(partition: int) -> str:
    return "waiting for the group" if partition == THE_GROUP else f"partition {partition}"
