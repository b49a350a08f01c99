"""The two sides of a parity certificate, partition by partition: what was served, what is rebuilt."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from msgspec import Struct

from offline import activated, log
from offline.archived import Archived
from offline.collector import Reading
from offline.dataset import Replay
from offline.log import LogUnreadable, Partition
from offline.parity import Compared, Comparison, Row, Scope
from stream_app.contract import topics
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import PREDICTIONS, full_name
from stream_app.stages.step import Step

_COLUMNS = ("offset", "source_offset", "market", "listing_id", "features", "versions_feature_set")


class _Versions(Struct):
    feature_set: str


class _Said(Struct):
    """What is looked at of a prediction."""

    source_offset: int
    market: str
    listing_id: str
    features: tuple[float | None, ...]
    versions: _Versions


_said = msgspec.json.Decoder(_Said)


@dataclass(frozen=True)
class ServedOnTopic:
    """A partition of `housing.predictions`. A plain value; reads when asked."""

    kafka: KafkaSettings
    number: int

    def __iter__(self) -> Iterator[Row]:
        topic = full_name(self.kafka.prefix, PREDICTIONS)
        for record in log.records(self.kafka, topic, self.number):
            if record.value is None:  # erased
                continue
            try:
                yield _row(record.value)
            except msgspec.MsgspecError as error:
                raise LogUnreadable(
                    f"{topic}[{self.number}]: offset {record.offset} is no prediction: {error}"
                ) from None


@dataclass(frozen=True)
class ServedInArchive:
    """The same as archived."""

    predictions: Archived

    def __iter__(self) -> Iterator[Row]:
        for table in self.predictions.tables("message", _COLUMNS):
            columns = (table[name].to_pylist() for name in _COLUMNS[1:])
            for offset, market, listing_id, features, feature_set in zip(*columns, strict=True):
                yield Row(offset, market, listing_id, tuple(features), feature_set)


class Sides(NamedTuple):
    """One partition."""

    events: Partition
    served: ServedOnTopic | ServedInArchive | tuple[Row, ...]


def compare_partition(scope: Scope, sides: Sides, progress: Callable[[int], None]) -> Compared:
    """Replay all of a partition, of all markets, and compare as it goes.

    The step runs with the policies that were active and without models: no feature depends
    on one.
    """
    events = sides.events
    comparison = Comparison(events.number, scope, sides.served)
    reading, replay = Reading(events), Replay()
    for cut in log.batches(events._replace(lines=reading.lines())):
        done = replay.advance(cut.batch, activated.serving(cut.policies))
        for row in rebuilt(done):
            comparison.take(row)
        progress(reading.records)
    return comparison.done(reading.done())


def rebuilt(done: Step) -> Iterator[Row]:
    """What the step would have put on `housing.predictions`."""
    for output in done.outputs:
        if output.topic is topics.PREDICTIONS:
            if output.value is None:
                yield Row(-1, "", (output.key or b"").decode(), None)
            else:
                yield _row(output.value)


def _row(value: bytes) -> Row:
    said = _said.decode(value)
    return Row(
        said.source_offset, said.market, said.listing_id, said.features, said.versions.feature_set
    )
