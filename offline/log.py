"""The event log in order, partition by partition: from the topic, a file, or a source.

A file of canonical events is a log of one partition, whose broker took each event
when it happened. A partition is a plain value: its lines are read when they are asked
for, by whichever process asks.

Not here: what an event means (stages/scorer.py); the archive (archived.py).
"""

import heapq
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from offline import activated
from offline.activated import BY_DEFAULT, Policies
from offline.faults import BrokerAway, WrongInput, no_kafka
from stream_app.contract import wire
from stream_app.contract.events import Listing, Sale, kind_of, kind_of_type
from stream_app.contract.rejects import Rejected
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import ACTIVATIONS, EVENTS, full_name
from stream_app.stages.step import Batch, Record

BATCH_MAX = 500  # what a worker takes at most by default
FILE_ID = "file"  # in the place of a topic's id, which no result holds
_SALE = kind_of_type(Sale)
_POLL_S = 0.2
_NO_LEADER_YET = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE}
_PAUSE_S = 0.1
_ANSWER_S = 10.0  # for a broker to say what it has
_QUIET_S = 30.0  # a broker that sends nothing for so long, while there is more, is gone


class LogUnreadable(WrongInput):
    """The events cannot be had: no such file or topic, a failed conversion."""


class Head(Struct):
    """What is looked at of an event before the step decodes it in earnest."""

    region: str = ""
    event_time_ms: int = 0
    market: str = ""
    listing_id: str = ""
    home_id: str | None = None
    kind: str = ""
    event_id: str = ""
    source: str = ""


class Line(NamedTuple):
    """A record, its head, and the policies that it was taken in with."""

    record: Record
    head: Head
    policies: Policies = BY_DEFAULT


class Partition(NamedTuple):
    """The records of one partition, in offset order."""

    topic: str
    number: int
    partitions: int  # of the topic
    lines: Iterable[Line]
    topic_id: str = FILE_ID


class Cut(NamedTuple):
    """A batch, what is looked at of its events, and the policies that hold for it."""

    batch: Batch
    heads: list[Head]
    policies: Policies


_heads = msgspec.json.Decoder(Head)


def head_of(value: bytes | None) -> Head:
    """Read the head; an empty one of bytes that are no event (the step will reject them).

    >>> head_of(b'{"kind":"sale","region":"kc-98178"}').region
    'kc-98178'
    >>> head_of(b"?").region
    ''
    """
    try:
        return _heads.decode(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _head_of_repaired(value or b"")


def _head_of_repaired(value: bytes) -> Head:
    """The head of an event that the step will repair; empty when it will reject it."""
    decoded = wire.decode_event(value)
    if isinstance(decoded, Rejected):
        return Head()
    event = decoded.event
    return Head(
        event.region,
        event.event_time_ms,
        event.market,
        event.listing_id,
        event.home_id if isinstance(event, Listing) else None,
        kind_of(event),
        event.event_id,
        event.source,
    )


def of_lines(values: Iterable[bytes]) -> Partition:
    """One partition made of canonical events, one JSON object each, in their order."""
    return Partition(FILE_ID, 0, 1, _lines(values))


def _lines(values: Iterable[bytes]) -> Iterator[Line]:
    for offset, value in enumerate(filter(None, map(bytes.strip, values))):
        head = head_of(value)
        yield Line(Record(offset, head.region.encode(), value, head.event_time_ms), head)


@dataclass(frozen=True)
class _FileLines:
    path: Path

    def __iter__(self) -> Iterator[Line]:
        with self.path.open("rb") as opened:
            yield from _lines(opened)


def of_file(path: Path) -> Partition:
    """The events of a JSON lines file.

    Raises
    ------
    LogUnreadable : there is no such file
    """
    if not path.is_file():
        raise LogUnreadable(f"{path}: no such file")
    return Partition(FILE_ID, 0, 1, _FileLines(path))


@dataclass(frozen=True)
class _SourceLines:
    command: tuple[str, ...]

    def __iter__(self) -> Iterator[Line]:
        yield from _lines(_output_of(self.command))


def of_source(source: str, files: Sequence[Path]) -> Partition:
    """The events that `python -m producers convert` makes of a source's files."""
    command = [sys.executable, "-m", "producers", "convert", "--source", source]
    for path in files:
        command += ["--file", str(path)]
    return Partition(FILE_ID, 0, 1, _SourceLines(tuple(command)))


def _output_of(command: Sequence[str]) -> Iterator[bytes]:
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - asked for one line above
        yield from process.stdout
        if process.wait() != 0:
            raise LogUnreadable(
                f"{' '.join(command[1:])}: exit status {process.returncode}, see above"
            )


@dataclass(frozen=True)
class _TopicLines:
    """Each with the policies that `housing.activations` says it was taken in with."""

    kafka: KafkaSettings
    topic: str
    number: int

    def __iter__(self) -> Iterator[Line]:
        found = records(self.kafka, full_name(self.kafka.prefix, ACTIVATIONS), self.number)
        spans = activated.spans(record.value for record in found)
        for record, policies in activated.along(
            records(self.kafka, self.topic, self.number), spans
        ):
            yield Line(record, head_of(record.value), policies)


def of_topic(kafka: KafkaSettings) -> list[Partition]:
    """All partitions of `housing.events`, each read to where it ends now.

    Raises
    ------
    BrokerAway : no broker answers
    LogUnreadable : there is no such topic
    """
    topic = full_name(kafka.prefix, EVENTS)
    numbers = partitions_of(kafka, topic)
    topic_id = _id_of(kafka, topic)
    return [
        Partition(topic, number, len(numbers), _TopicLines(kafka, topic, number), topic_id)
        for number in numbers
    ]


def _id_of(kafka: KafkaSettings, topic: str) -> str:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 2})
    answer = admin.describe_topics(TopicCollection([topic]), request_timeout=_ANSWER_S)[topic]
    # As Kafka's own tools write it: a plain base64 may hold a slash.
    return str(answer.result().topic_id).replace("+", "-").replace("/", "_")


def partitions_of(kafka: KafkaSettings, topic: str) -> list[int]:
    """The numbers of a topic's partitions.

    Raises
    ------
    BrokerAway : no broker answers
    LogUnreadable : there is no such topic
    """
    with closing(_consumer(kafka)) as consumer:
        try:
            metadata = consumer.list_topics(topic, timeout=_ANSWER_S).topics[topic]
        except KafkaException as error:
            raise BrokerAway(no_kafka(kafka.bootstrap_servers, error.args[0].str())) from None
    if metadata.error is not None:
        raise LogUnreadable(f"{topic}: {metadata.error}")
    return sorted(metadata.partitions)


def reader_config(kafka: KafkaSettings) -> dict[str, object]:
    """What a reader of committed records is made with."""
    return {
        "bootstrap.servers": kafka.bootstrap_servers,
        "group.id": f"{kafka.prefix}.offline",  # wanted by the library; nothing is committed
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "log_level": 2,  # what failed is told once, by us
    }


def _consumer(kafka: KafkaSettings) -> Consumer:
    return Consumer(reader_config(kafka))


def first_offset(kafka: KafkaSettings, topic: str, number: int) -> int:
    """Where a partition begins: above 0, older records are gone."""
    with closing(_consumer(kafka)) as consumer:
        return _bounds(consumer, TopicPartition(topic, number))[0]


def _bounds(consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
    """Where a partition begins and ends; a topic that is new has no leader for a moment."""
    deadline_s = time.monotonic() + _ANSWER_S
    while True:
        try:
            first, end = consumer.get_watermark_offsets(place, timeout=_ANSWER_S)
            return first, end
        except KafkaException as error:
            if error.args[0].code() not in _NO_LEADER_YET or time.monotonic() > deadline_s:
                raise
            time.sleep(_PAUSE_S)


def records(kafka: KafkaSettings, topic: str, number: int) -> Iterator[Record]:
    """A partition's committed records, up to where it ends now.

    Raises
    ------
    BrokerAway : it sends nothing any more
    LogUnreadable : it sends an error
    """
    with closing(_consumer(kafka)) as consumer:
        place = TopicPartition(topic, number)
        first, end = _bounds(consumer, place)
        consumer.assign([TopicPartition(topic, number, first)])
        quiet_s = 0.0
        while first < end:
            # It comes back only full or when the time is over: at the end of each
            # partition it would wait for what will not come.
            messages = consumer.consume(BATCH_MAX, timeout=_POLL_S)
            quiet_s = 0.0 if messages else quiet_s + _POLL_S
            if quiet_s >= _QUIET_S:
                raise BrokerAway(f"{topic}[{number}]: nothing for {_QUIET_S:g} s at {first}")
            for message in messages:
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    return
                if error is not None:
                    raise LogUnreadable(f"{topic}[{number}]: {error}")
                first = message.offset() + 1
                if first > end:
                    return
                yield Record(
                    message.offset(), message.key(), message.value(), message.timestamp()[1]
                )


def batches(
    partition: Partition,
    wanted: Callable[[Head], bool] = lambda head: True,
    boundary: Callable[[Head], object] = lambda head: None,
) -> Iterator[Cut]:
    """Cut a partition into batches.

    One also ends where `boundary` gives something new, or other policies begin.
    """
    kept: list[Line] = []
    mark: object = None
    for line in partition.lines:
        if not wanted(line.head):
            continue
        now = boundary(line.head), line.policies
        if kept and now != mark:
            yield _cut(partition, kept)
            kept = []
        mark = now
        kept.append(line)
        if len(kept) == BATCH_MAX:
            yield _cut(partition, kept)
            kept = []
    if kept:
        yield _cut(partition, kept)


def _cut(partition: Partition, lines: Sequence[Line]) -> Cut:
    records = [line.record for line in lines]
    batch = Batch(
        partition.topic, partition.topic_id, partition.number, partition.partitions, records
    )
    return Cut(batch, [line.head for line in lines], lines[0].policies)


def merged(partitions: Sequence[Partition]) -> Partition:
    """All partitions as one, in the order of event time: what one market-wide reader sees."""
    if len(partitions) == 1:
        return partitions[0]
    lines = heapq.merge(*(p.lines for p in partitions), key=lambda line: line.head.event_time_ms)
    return Partition(partitions[0].topic, 0, 1, _renumbered(lines))


def with_late_sales(partition: Partition, delay_ms: int, *, redated: bool = False) -> Partition:
    """The same log, but each sale becomes known `delay_ms` after it was made.

    `redated`: it also bears the date on which it became known, as where a register
    publishes sales and knows no other date; so it is not late.
    """
    lines = partition.lines
    if delay_ms:
        lines = _renumbered(_held_back(lines, delay_ms, redated))
    return partition._replace(lines=lines)


def _held_back(lines: Iterable[Line], delay_ms: int, redated: bool) -> Iterator[Line]:
    held: deque[tuple[int, Line]] = deque()  # in the order in which they come out
    for line in lines:
        at_ms = line.head.event_time_ms
        while held and held[0][0] <= at_ms:
            yield held.popleft()[1]
        if line.head.kind == _SALE:
            late = line.record._replace(append_time_ms=at_ms + delay_ms)
            told = _redated(late) if redated else late
            head = head_of(told.value) if redated else line.head
            held.append((at_ms + delay_ms, Line(told, head, line.policies)))
        else:
            yield line
    yield from (line for _, line in held)


def _redated(record: Record) -> Record:
    decoded = wire.decode_event(record.value or b"")
    if isinstance(decoded, Rejected):
        return record
    event = msgspec.structs.replace(decoded.event, event_time_ms=record.append_time_ms)
    return record._replace(value=wire.encode(event))


def _renumbered(lines: Iterable[Line]) -> Iterator[Line]:
    for offset, line in enumerate(lines):
        yield line._replace(record=line.record._replace(offset=offset))
