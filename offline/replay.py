"""The log served again: as it was, or with something else from a point on.

Each partition runs through the scorer's step with its own state, and its records in their
own order, so what it was served with (stages/lineups.py) gives what was served, to the bit.
The partitions take turns in the order in which the broker took the records: that is the
order in which one learner sees their outcomes.

A range is a piece of that order. What comes before it is served as it was; then each way of
serving goes on by itself: another champion, without the sales of a source, with what the
corrector had learned by an earlier point. A changed way has corrector versions of its own,
from the learner's step over its own outcomes. A version serves from the next chunk on, and in
the stream from some other moment: even with nothing changed, prices then differ a little.

Not here: where log, models and lineups come from (served.py), what the difference is
(difference.py).
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from offline.dataset import Replay
from offline.learning import Learning
from offline.log import BATCH_MAX, Line, Partition
from stream_app.contract import topics
from stream_app.contract.events import Correction, Sale, kind_of_type
from stream_app.contract.ids import partition_of
from stream_app.contract.models import Handover, RolloutMode
from stream_app.stages.lineups import Lineup, segments
from stream_app.stages.step import Batch, Output, PriceModel, Record, Serving

_LABELS = {kind_of_type(Sale), kind_of_type(Correction)}


class Placed(NamedTuple):
    """A record of the log and the partition it lies in."""

    partition: int
    line: Line


Here = Callable[[Placed], bool]


class Change(NamedTuple):
    """What is other than it was, from the start of the range on."""

    champion: PriceModel | None = None  # None: who served
    without_source: str | None = None  # whose sales and corrections are taken out of the log
    learning: Learning | None = None  # what the corrector begins with; None: all learned by then
    handover: Handover | None = None  # of the champion, as a promotion would tell it


class Way:
    """One way of serving a market, over all partitions of the log."""

    def __init__(
        self,
        market: str,
        partitions: Sequence[Partition],
        lineups: Mapping[int, Sequence[Lineup]],
    ) -> None:
        self._market = market
        self._partitions = {partition.number: partition for partition in partitions}
        self._lineups = lineups
        self._replays = {number: Replay({}) for number in self._partitions}
        self._learning = Learning()
        self._change: Change | None = None  # as served

    def fork(self, change: Change) -> "Way":
        """A way that has seen the same, and is another one from here."""
        other = Way(self._market, list(self._partitions.values()), self._lineups)
        other._replays = {n: Replay(dict(replay.state)) for n, replay in self._replays.items()}
        other._learning = (change.learning or self._learning).copy()
        other._change = change
        return other

    def advance(self, chunk: Iterable[Placed]) -> list[Output]:
        """Serve what comes next, then learn from its outcomes."""
        records: dict[int, list[Record]] = defaultdict(list)
        for number, line in chunk:
            if not self._left_out(line):
                records[number].append(line.record)
        outputs = [o for number, taken in records.items() for o in self._serve(number, taken)]
        mine = self._market.encode()
        self._learning.learn(
            o.value for o in outputs if o.topic is topics.OUTCOMES and o.key == mine
        )
        return outputs

    def _serve(self, number: int, records: Sequence[Record]) -> Iterator[Output]:
        shape = self._partitions[number]
        for serving, piece in segments(records, self._lineups.get(number, ())):
            batch = Batch(shape.topic, shape.topic_id, number, shape.partitions, piece)
            yield from self._replays[number].advance(batch, self._changed(serving)).outputs

    def _changed(self, serving: Mapping[str, Serving]) -> dict[str, Serving]:
        change = self._change
        if change is None:
            return dict(serving)
        now = serving.get(self._market, Serving())._replace(corrector=self._learning.newest)
        if change.champion is not None:
            # As when it is promoted: nobody is tried out beside it.
            now = now._replace(
                champion=change.champion,
                challenger=None,
                mode=RolloutMode.OFF,
                share=0.0,
                handover=change.handover,
            )
        return {**serving, self._market: now}

    def _left_out(self, line: Line) -> bool:
        source = None if self._change is None else self._change.without_source
        return source is not None and line.head.source == source and line.head.kind in _LABELS


class Served(NamedTuple):
    """A chunk of the range, and what each way of serving made of it."""

    chunk: Sequence[Placed]
    outputs: Sequence[Sequence[Output]]  # in the order of the changes


def replay(
    partitions: Sequence[Partition],
    way: Way,
    changes: Sequence[Change | None],
    begins: Here = lambda placed: True,
    ends: Here = lambda placed: False,
    progress: Callable[[int], None] = lambda events: None,
) -> Iterator[Served]:
    """Serve the log from its start; give what comes of the range.

    Parameters
    ----------
    way : serves what lies before the range, and the range where a change is None
    begins, ends : the range goes from the first record for which `begins` holds to before
        the first later one for which `ends` does
    progress : told the number of events so far
    """
    ways: list[Way] = []
    events = 0
    for chunk, inside in _chunks(interleaved(partitions), begins, ends):
        if inside and not ways:
            ways = [way if change is None else way.fork(change) for change in changes]
        if inside:
            yield Served(chunk, [each.advance(chunk) for each in ways])
        else:
            way.advance(chunk)
        events += len(chunk)
        progress(events)


def dealt(file: Partition, topic: str, partitions: int) -> list[Partition]:
    """A file's events on partitions, as publishers' clients put them on a topic."""
    lines: list[list[Line]] = [[] for _ in range(partitions)]
    for line in file.lines:
        mine = lines[partition_of(line.record.key or b"", partitions)]
        mine.append(line._replace(record=line.record._replace(offset=len(mine))))
    return [Partition(topic, n, partitions, found) for n, found in enumerate(lines)]


def interleaved(partitions: Iterable[Partition]) -> Iterator[Placed]:
    """The records of all partitions in the order in which the broker took them."""

    def placed(partition: Partition) -> Iterator[Placed]:
        return (Placed(partition.number, line) for line in partition.lines)

    return heapq.merge(
        *map(placed, partitions), key=lambda placed: placed.line.record.append_time_ms
    )


def _chunks(
    log: Iterable[Placed], begins: Here, ends: Here
) -> Iterator[tuple[Sequence[Placed], bool]]:
    """Cut the log into pieces, none across the start of the range; does it lie inside?"""
    chunk: list[Placed] = []
    inside = False
    for placed in log:
        starts = not inside and begins(placed)
        if inside and ends(placed):
            break
        if chunk and (starts or len(chunk) == BATCH_MAX):
            yield chunk, inside
            chunk = []
        inside = inside or starts
        chunk.append(placed)
    if chunk:
        yield chunk, inside
