"""Reads `housing.rejects` from its beginning to where it ends now: committed records only."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Protocol

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError

from producers.refused import Choice, Refused
from producers.sender import topic_id, unreachable
from producers.settings import ProducerSettings
from stream_app.contract.rejects import RejectHeaders
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import RECORD_BYTES_MAX, REJECTS, full_name

_POLL_MS = 500
_IDLE_POLLS_MAX = 60  # half a minute without a record or a marker


class Unreadable(ValueError):
    """A record of the rejects topic is none."""


def read(
    kafka: KafkaSettings,
    own: ProducerSettings,
    choice: Choice,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Refused]:
    """Those chosen, partition by partition, the oldest first, until told to stop.

    Raises
    ------
    Undelivered : no broker answers, there is no such topic, or it stopped answering
    """
    topic = full_name(kafka.prefix, REJECTS)
    topic_id(kafka, own, REJECTS)  # a consumer would wait for a missing topic
    try:
        with closing(_consumer(kafka, own)) as consumer:
            numbers = sorted(consumer.partitions_for_topic(topic) or ())
            places = [TopicPartition(topic, number) for number in numbers]
            # As of now: what is refused while we send again is for the next time.
            ends = consumer.end_offsets(places)
            for place in places:
                yield from of_partition(consumer, place, ends[place], choice, stop)
    except KafkaError as error:
        raise unreachable(kafka, error) from error


def _consumer(kafka: KafkaSettings, own: ProducerSettings) -> KafkaConsumer:
    return KafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers,
        bootstrap_timeout_ms=int(own.connect_timeout_s * 1000),
        isolation_level="read_committed",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
        max_partition_fetch_bytes=2 * RECORD_BYTES_MAX,
        metrics_enabled=False,
    )


def of_partition(
    consumer: KafkaConsumer,
    place: TopicPartition,
    end: int,
    choice: Choice,
    stop: Callable[[], bool],
) -> Iterator[Refused]:
    """Those of one partition below `end`; looks at `stop` before each, chosen or not."""
    consumer.assign([place])
    start = _start(consumer, place, choice.since_ms)
    if start is None:
        return
    consumer.seek(place, start)
    idle, reached = 0, start
    while reached < end and not stop():
        for record in consumer.poll(timeout_ms=_POLL_MS).get(place, ()):
            if stop():
                return
            refused = _refused(record)
            if record.offset < end and choice.takes(refused):
                yield refused
        before, reached = reached, consumer.position(place)  # markers of transactions move it, too
        idle = idle + 1 if reached == before else 0
        if idle == _IDLE_POLLS_MAX:
            raise KafkaTimeoutError(
                f"{place.topic} partition {place.partition} ends at {end}, "
                f"but nothing comes after {reached}"
            )


def _start(consumer: KafkaConsumer, place: TopicPartition, since_ms: int | None) -> int | None:
    """The first offset to read; None when nothing is that new."""
    if since_ms is None:
        return int(consumer.beginning_offsets([place])[place])
    found = consumer.offsets_for_times({place: since_ms})[place]
    return None if found is None else int(found.offset)


class _Record(Protocol):
    """The part of kafka-python's record that is used here."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None


def _refused(record: _Record) -> Refused:
    texts = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    try:
        headers = msgspec.convert(texts, RejectHeaders)
    except msgspec.ValidationError as error:
        raise Unreadable(
            f"{record.topic} partition {record.partition} offset {record.offset}: {error}"
        ) from None
    return Refused(record.partition, record.offset, record.timestamp, headers, record.value or b"")
