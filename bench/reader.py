"""What a `read_committed` reader sees of the predictions, and when."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
from confluent_kafka import Consumer, Message, TopicPartition
from msgspec import Struct

from bench.pacing import Place
from stream_app.contract.topics import DEFAULT_PARTITIONS

_TAKE_MAX = 500


class Visible(NamedTuple):
    """A prediction that the reader was given."""

    cause: Place
    champion: str | None  # its version
    written_ms: float  # from the append of its cause until the worker handed it to its client
    received_ms: float  # time of the day


class _Versions(Struct):
    champion: str | None


class _Cause(Struct):
    """What is needed of a prediction; the decoder passes over the rest."""

    source_partition: int
    source_offset: int
    versions: _Versions


_causes = msgspec.json.Decoder(_Cause)


@contextmanager
def reading(brokers: str, topic: str, seen: list[Visible]) -> Iterator[None]:
    """Add what a committed reader sees of the predictions from now on, each when it sees it."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "bench-latency",  # asked for, never used: we assign
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    consumer.assign([TopicPartition(topic, number) for number in range(DEFAULT_PARTITIONS)])
    done = threading.Event()
    thread = threading.Thread(target=_read, args=(consumer, seen, done), name="reader")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        consumer.close()


def _read(consumer: Consumer, seen: list[Visible], done: threading.Event) -> None:
    while not done.is_set():
        # Whatever comes first is not kept waiting for more.
        messages = consumer.consume(1, timeout=0.1) + consumer.consume(_TAKE_MAX, timeout=0)
        received_ms = time.time() * 1000
        seen += [_visible(one, received_ms) for one in messages if one.error() is None]


def _visible(message: Message, received_ms: float) -> Visible:
    cause = _causes.decode(message.value())
    written_ms = float(dict(message.headers())["latency_ms"])
    place = Place(cause.source_partition, cause.source_offset)
    return Visible(place, cause.versions.champion, written_ms, received_ms)
