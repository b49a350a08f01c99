"""What a worker has done, counted as it happens. Told to the log, and shown at /metrics.

Adding up must cost little beside the step, which takes some 100 us per event: nothing
here formats, and what a histogram or a label needs is a few additions.
"""

import logging
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec import Struct

from stream_app.contract import topics
from stream_app.shell.runner import Applied
from stream_app.stages.step import Output, State

_log = logging.getLogger(__name__)
# Label sets of one counter. More are counted as "other": a page must not grow for ever.
LABELS_MAX = 200


class Histogram:
    """Counts by upper bound, as Prometheus has them. Written by one thread."""

    def __init__(self, *bounds: float) -> None:
        self.bounds = bounds
        self.total = 0.0
        self._counts = [0] * (len(bounds) + 1)

    def add(self, value: float) -> None:
        self._counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> Iterator[tuple[str, float]]:
        """How many were at most each bound.

        >>> waits = Histogram(0.1, 1.0)
        >>> for value in (0.05, 0.1, 0.5, 7.0):
        ...     waits.add(value)
        >>> list(waits.buckets())
        [('0.1', 2.0), ('1.0', 3.0), ('+Inf', 4.0)]
        """
        count = 0
        for bound, more in zip((*map(str, self.bounds), "+Inf"), self._counts, strict=True):
            count += more
            yield bound, float(count)


class _Versions(Struct):
    champion: str | None = None


class _Answer(Struct):
    """What is counted of a prediction; the decoder passes over the rest."""

    market: str
    step: str
    quality: str
    versions: _Versions


_answers = msgspec.json.Decoder(_Answer)


class Meter:
    """Counts of one worker since it started, and the publishers of its partitions.

    Written on the event loop, but for `opened`; read by anybody.
    """

    def __init__(self, every_s: float, now_s: Callable[[], float] = time.time) -> None:
        self.started_s = now_s()
        self.latency_s = Histogram(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)
        self.step_s = Histogram(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
        self.commit_s = Histogram(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
        self.batch = Histogram(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000)
        self.predictions: Counter[tuple[str, ...]] = Counter()  # market, champion, step, quality
        self.rejects: Counter[tuple[str, ...]] = Counter()  # code
        # partition, name: record in the state, which has 501 of them per partition at most
        self.publishers: dict[tuple[int, str], bytes] = {}
        self.appended_s: dict[int, float] = {}  # partition -> append of the newest applied
        self._every_s = every_s
        self._now_s = now_s
        self._told_s = self.started_s
        self._counts: Counter[str] = Counter()
        self._newest: dict[int, int] = {}  # partition -> applied offset
        self._behind_ms: dict[int, int] = {}  # from the append of the newest until it was safe

    def opened(self, partition: int, state: State) -> None:
        """Take in the publishers that a partition knows already. Any thread may tell."""
        for place in [place for place in list(self.publishers) if place[0] == partition]:
            self.publishers.pop(place, None)
        self._note_publishers(partition, state)

    def applied(self, batch: Applied) -> None:
        """Count a batch that is safe; tell the log when it is time."""
        now_s = self._now_s()
        for record in batch.records:
            self.latency_s.add(now_s - record.append_time_ms / 1000)
        self.step_s.add(batch.step_s)
        self.commit_s.add(batch.commit_s)
        self.batch.add(len(batch.records))
        for output in batch.step.outputs:
            self._count(output)
        self._note_publishers(batch.partition, batch.step.state)
        newest_ms = batch.records[-1].append_time_ms
        self.appended_s[batch.partition] = newest_ms / 1000
        self._counts["records"] += len(batch.records)
        self._counts["batches"] += 1
        self._counts["outputs"] += len(batch.step.outputs)
        self._counts["state_records"] += len(batch.step.state)
        self._newest[batch.partition] = batch.step.applied_offset
        self._behind_ms[batch.partition] = int(now_s * 1000) - newest_ms
        if now_s - self._told_s >= self._every_s:
            self._told_s = now_s
            self._tell()

    def _count(self, output: Output) -> None:
        if output.topic is topics.PREDICTIONS and output.value is not None:
            one = _answers.decode(output.value)
            champion = one.versions.champion or "none"
            _bounded(self.predictions, (one.market, champion, one.step, one.quality))
        elif output.topic is topics.REJECTS:
            _bounded(self.rejects, (dict(output.headers)["code"].decode(),))

    def _note_publishers(self, partition: int, records: Mapping[str, bytes | None]) -> None:
        for key, value in records.items():
            if key.startswith("publisher:") and value is not None:
                self.publishers[partition, key.removeprefix("publisher:")] = value

    def _tell(self) -> None:
        told: Mapping[str, object] = {
            "counts": self._counts,
            "rejects": {code: n for (code,), n in self.rejects.items()},
            "offsets": self._newest,
            "behind_ms": self._behind_ms,
            "step_s": round(self.step_s.total, 3),
            "commit_s": round(self.commit_s.total, 3),
        }
        _log.info("applied", extra=told)


def _bounded(counts: Counter[tuple[str, ...]], labels: tuple[str, ...]) -> None:
    known = labels in counts or len(counts) < LABELS_MAX
    counts[labels if known else ("other",) * len(labels)] += 1
