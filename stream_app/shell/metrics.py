"""What a worker has done, counted, and told to the log as one line every few seconds."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence

from stream_app.stages.step import Record, Step

_log = logging.getLogger(__name__)


class Meter:
    """Counts of one worker since it started."""

    def __init__(self, every_s: float, now_s: Callable[[], float] = time.time) -> None:
        self._every_s = every_s
        self._now_s = now_s
        self._told_s = now_s()
        self._counts: Counter[str] = Counter()
        self._newest: dict[int, int] = {}  # partition -> applied offset
        self._behind_ms: dict[int, int] = {}  # from the append of the newest until it was safe

    def applied(self, partition: int, records: Sequence[Record], step: Step) -> None:
        """Count a batch that is safe; tell the log when it is time."""
        self._counts["records"] += len(records)
        self._counts["batches"] += 1
        self._counts["outputs"] += len(step.outputs)
        self._counts["state_records"] += len(step.state)
        now_s = self._now_s()
        self._newest[partition] = step.applied_offset
        self._behind_ms[partition] = int(now_s * 1000) - records[-1].append_time_ms
        if now_s - self._told_s >= self._every_s:
            self._told_s = now_s
            self._tell()

    def _tell(self) -> None:
        told = {"counts": self._counts, "offsets": self._newest, "behind_ms": self._behind_ms}
        _log.info("applied", extra=told)
