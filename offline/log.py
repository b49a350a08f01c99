"""The event log in order, partition by partition: from the topic, a file, or a source.

A file of canonical events is a log of one partition, whose broker took each event
when it happened. Not here: what an event means (stages/scorer.py).
"""

import heapq
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from msgspec import Struct

from offline.faults import WrongInput
from stream_app.contract import wire
from stream_app.contract.events import Listing, Sale, kind_of, kind_of_type
from stream_app.contract.rejects import Rejected
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, full_name
from stream_app.stages.step import Batch, Record

BATCH_MAX = 500  # what a worker takes at most by default
_FILE_ID = "file"
_SALE = kind_of_type(Sale)
_POLL_S = 0.2
_NO_LEADER_YET = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE}
_PAUSE_S = 0.1
_ANSWER_S = 10.0  # for a broker to say what it has
_QUIET_S = 30.0  # a broker that sends nothing for so long, while there is more, is gone


class LogUnreadable(WrongInput):
    """The events cannot be had: no such file or topic, no broker, a failed conversion."""


class Head(Struct):
    """What is looked at of an event before the step decodes it in earnest."""

    region: str = ""
    event_time_ms: int = 0
    market: str = ""
    listing_id: str = ""
    home_id: str | None = None
    kind: str = ""


class Line(NamedTuple):
    """A record and its head."""

    record: Record
    head: Head


class Partition(NamedTuple):
    """The records of one partition, in offset order."""

    topic: str
    number: int
    partitions: int  # of the topic
    lines: Iterable[Line]


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
    home_id = event.home_id if isinstance(event, Listing) else None
    kind = kind_of(event)
    return Head(event.region, event.event_time_ms, event.market, event.listing_id, home_id, kind)


def of_lines(values: Iterable[bytes]) -> Partition:
    """One partition made of canonical events, one JSON object each, in their order."""

    def lines() -> Iterator[Line]:
        for offset, value in enumerate(filter(None, map(bytes.strip, values))):
            head = head_of(value)
            yield Line(Record(offset, head.region.encode(), value, head.event_time_ms), head)

    return Partition(_FILE_ID, 0, 1, lines())


def of_file(path: Path) -> Partition:
    """The events of a JSON lines file.

    Raises
    ------
    LogUnreadable : there is no such file
    """
    if not path.is_file():
        raise LogUnreadable(f"{path}: no such file")

    def values() -> Iterator[bytes]:
        with path.open("rb") as opened:
            yield from opened

    return of_lines(values())


def of_source(source: str, files: Sequence[Path]) -> Partition:
    """The events that `python -m producers convert` makes of a source's files."""
    command = [sys.executable, "-m", "producers", "convert", "--source", source]
    for path in files:
        command += ["--file", str(path)]
    return of_lines(_output_of(command))


def _output_of(command: Sequence[str]) -> Iterator[bytes]:
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - asked for one line above
        yield from process.stdout
        if process.wait() != 0:
            raise LogUnreadable(
                f"{' '.join(command[1:])}: exit status {process.returncode}, see above"
            )


def of_topic(kafka: KafkaSettings) -> list[Partition]:
    """All partitions of `housing.events`, each read to where it ends now.

    Raises
    ------
    LogUnreadable : no broker answers, or there is no such topic
    """
    topic = full_name(kafka.prefix, EVENTS)
    numbers = partitions_of(kafka, topic)
    return [
        Partition(topic, number, len(numbers), _read(kafka, topic, number)) for number in numbers
    ]


def partitions_of(kafka: KafkaSettings, topic: str) -> list[int]:
    """The numbers of a topic's partitions.

    Raises
    ------
    LogUnreadable : no broker answers, or there is no such topic
    """
    with closing(_consumer(kafka)) as consumer:
        try:
            metadata = consumer.list_topics(topic, timeout=_ANSWER_S).topics[topic]
        except KafkaException as error:
            raise LogUnreadable(f"{kafka.bootstrap_servers}: {error.args[0].str()}") from None
    if metadata.error is not None:
        raise LogUnreadable(f"{topic}: {metadata.error}")
    return sorted(metadata.partitions)


def _consumer(kafka: KafkaSettings) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": f"{kafka.prefix}.offline",  # wanted by the library; nothing is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "log_level": 2,  # what failed is told once, by us
        }
    )


def _read(kafka: KafkaSettings, topic: str, number: int) -> Iterator[Line]:
    for record in records(kafka, topic, number):
        yield Line(record, head_of(record.value))


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
    LogUnreadable : the broker sends an error, or nothing any more
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
                raise LogUnreadable(f"{topic}[{number}]: nothing for {_QUIET_S:g} s at {first}")
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
) -> Iterator[tuple[Batch, list[Head]]]:
    """Cut a partition into batches; a batch also ends where `boundary` gives something new."""
    kept: list[Line] = []
    mark: object = None
    for line in partition.lines:
        if not wanted(line.head):
            continue
        now = boundary(line.head)
        if kept and (len(kept) == BATCH_MAX or now != mark):
            yield _batch(partition, kept)
            kept = []
        mark = now
        kept.append(line)
    if kept:
        yield _batch(partition, kept)


def _batch(partition: Partition, lines: Sequence[Line]) -> tuple[Batch, list[Head]]:
    records = [line.record for line in lines]
    batch = Batch(partition.topic, _FILE_ID, partition.number, partition.partitions, records)
    return batch, [line.head for line in lines]


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
            held.append(
                (at_ms + delay_ms, _redated(late) if redated else line._replace(record=late))
            )
        else:
            yield line
    yield from (line for _, line in held)


def _redated(record: Record) -> Line:
    decoded = wire.decode_event(record.value or b"")
    value = record.value
    if not isinstance(decoded, Rejected):
        event = msgspec.structs.replace(decoded.event, event_time_ms=record.append_time_ms)
        value = wire.encode(event)
    return Line(record._replace(value=value), head_of(value))


def _renumbered(lines: Iterable[Line]) -> Iterator[Line]:
    for offset, line in enumerate(lines):
        yield Line(line.record._replace(offset=offset), line.head)
