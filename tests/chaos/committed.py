"""What a committed reader sees of one partition, from its start to its last stable offset."""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec
from confluent_kafka import Consumer, IsolationLevel, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import REJECTS, Topic, full_name
from stream_app.shell import source
from stream_app.shell.region_store import reader_config
from stream_app.stages.step import Output, Record
from tests.chaos.tally import Named

# When it was published; everything else is the step's.
_BY_THE_CLOCK = "latency_ms"


def read(kafka: KafkaSettings, topic: Topic, partition: int) -> Iterator[Message]:
    """Give all messages, in order."""
    name = full_name(kafka.prefix, topic)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 2})
    start, end = source.bounds(admin, name, partition, IsolationLevel.READ_COMMITTED)
    if start >= end:
        return
    consumer = Consumer(reader_config(kafka))
    consumer.assign([TopicPartition(name, partition, start)])
    try:
        while True:
            for message in consumer.consume(5_000, timeout=0.2):
                error = message.error()
                if error is None:
                    yield message
                elif error.code() != KafkaError._PARTITION_EOF:
                    raise AssertionError(f"{name} partition {partition}: {error}")
                elif message.offset() >= end:
                    return
    finally:
        consumer.close()


def records(kafka: KafkaSettings, topic: Topic, partition: int) -> Iterator[Record]:
    """The same, as a stage takes them."""
    for message in read(kafka, topic, partition):
        yield Record(message.offset(), message.key(), message.value(), message.timestamp()[1])


def folded(kafka: KafkaSettings, topic: Topic, partition: int) -> dict[str, bytes]:
    """What compaction leaves of a topic of state."""
    newest: dict[str, bytes | None] = {}
    for message in read(kafka, topic, partition):
        newest[message.key().decode()] = message.value()
    return {key: value for key, value in newest.items() if value is not None}


class _Told(msgspec.Struct):
    """What names a message, whichever it is."""

    prediction_id: str = ""
    sale_event_id: str = ""
    market: str = ""
    from_offset: int = -1
    version: str = ""


_told = msgspec.json.Decoder(_Told)


def named_message(topic: Topic, message: Message) -> Named:
    return _named(topic, message.key(), message.value(), message.headers() or ())


def named_output(output: Output) -> Named:
    return _named(output.topic, output.key, output.value, output.headers)


def _named(
    topic: Topic, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> Named:
    kept = [header for header in headers if header[0] != _BY_THE_CLOCK]
    digest = hashlib.blake2b(digest_size=16)
    # None and empty are not the same; nor are "ab", "c" and "a", "bc".
    digest.update(repr((key, value and len(value), value is None, kept)).encode())
    digest.update(value or b"")
    return Named(_name(topic, key, value, dict(kept)), digest.digest())


def _name(topic: Topic, key: bytes | None, value: bytes | None, headers: dict[str, bytes]) -> str:
    if topic is REJECTS:
        return headers["source_offset"].decode()
    if value is None:
        return f"erased {key!r}"
    told = _told.decode(value)
    return (
        f"{told.prediction_id} {told.sale_event_id} {told.market} {told.from_offset} {told.version}"
    )
