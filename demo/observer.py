"""Reads topics as a read_committed consumer, in a thread, into a Watch.

One consumer without a group: it commits nothing and disturbs nobody. A record is
received when `poll` hands it over. The latency of a prediction is that moment
less the time the broker appended its event: it holds the broker, the worker, the
commit of its transaction and the way to the consumer. Both clocks must agree;
they are the same one when the broker runs on this machine.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, Self, TypeVar

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from demo.watch import Received, Watch
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import Topic, full_name

POLL_S = 0.1
METADATA_WITHIN_S = 30.0

T = TypeVar("T")
W_co = TypeVar("W_co", bound=Watch, covariant=True)


class ReadingFailed(Exception):
    """The topics cannot be read any more; the text says why."""


class Observer(Generic[W_co]):
    """Runs between `with` and its end; may be asked from any thread."""

    def __init__(self, kafka: KafkaSettings, watch: W_co) -> None:
        self._watch = watch
        self._topics = {full_name(kafka.prefix, topic): topic for topic in watch.topics}
        self._consumer = _consumer(kafka, self._topics)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def ask(self, question: Callable[[W_co], T]) -> T:
        """Answer a question about all that was seen so far.

        Raises
        ------
        ReadingFailed : something has stopped the reading
        """
        if self._failure is not None:
            raise ReadingFailed(f"reading the topics: {self._failure}") from self._failure
        with self._lock:
            return question(self._watch)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                message = self._consumer.poll(POLL_S)
                if message is not None:
                    self._take(message, time.time() * 1000)
        except Exception as error:  # noqa: BLE001 - told to whoever asks next
            self._failure = error

    def _take(self, message: Message, received_ms: float) -> None:
        if message.error():
            raise KafkaException(message.error())
        record = Received(
            topic=self._topics[message.topic()],
            partition=message.partition(),
            offset=message.offset(),
            at_ms=message.timestamp()[1],
            received_ms=received_ms,
            key=message.key(),
            value=message.value(),
            headers=dict(message.headers() or ()),
        )
        with self._lock:
            self._watch.take(record)


def _consumer(kafka: KafkaSettings, watched: Mapping[str, Topic]) -> Consumer:
    """Read every partition of the watched topics from its beginning."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": f"{kafka.prefix}.demo-observer",  # asked for, but nothing is committed
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "log_level": 0,
        }
    )
    listed = consumer.list_topics(timeout=METADATA_WITHIN_S).topics
    consumer.assign(
        [
            TopicPartition(name, partition, 0)
            for name in watched
            for partition in listed[name].partitions
        ]
    )
    return consumer
