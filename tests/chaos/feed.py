"""Sends the load: a thread, in bursts, whatever happens to the broker meanwhile."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

from confluent_kafka import Producer

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, PARTITIONER, RECORD_BYTES_MAX, full_name
from tests.chaos.hostile import Payload

Note = Callable[[object, object], None]  # error or None, message

_BURST_S = (0.2, 0.8)
_FLUSH_WITHIN_S = 180.0


class Feed:
    """`rate` records a second until `finish`, then at once what is left of `total`."""

    def __init__(
        self, kafka: KafkaSettings, payloads: Iterator[Payload], total: int, rate: float, seed: int
    ) -> None:
        self.sent = 0
        self._topic = full_name(kafka.prefix, EVENTS)
        self._payloads = payloads
        self._total = total
        self._rate = rate
        self._draw = random.Random(f"bursts {seed}")
        self._producer = producer(kafka)
        self._failed: list[str] = []
        self._finishing = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._send, name="feed", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._finishing.set()
        self._thread.join(10)

    def finish(self) -> None:
        """Send the rest, and return when the broker has confirmed all.

        Raises
        ------
        AssertionError : it has not
        """
        self._finishing.set()
        self._thread.join()
        left = self._producer.flush(_FLUSH_WITHIN_S)
        assert left == 0, f"{left} records of the load are not confirmed"
        assert not self._failed, f"the load was not taken: {self._failed[0]}"

    def _send(self) -> None:
        started_s = time.monotonic()
        while not self._finishing.wait(self._draw.uniform(*_BURST_S)):
            due = int((time.monotonic() - started_s) * self._rate)
            self._send_up_to(due)
        self._send_up_to(self._total)

    def _send_up_to(self, count: int) -> None:
        while self.sent < count and not self._closing.is_set():
            send(self._producer, self._topic, next(self._payloads), self._note)
            self.sent += 1

    def _note(self, error: object, _message: object) -> None:
        if error is not None:
            self._failed.append(str(error))


def producer(kafka: KafkaSettings) -> Producer:
    """A publisher that never gives up, and sends nothing twice."""
    return Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "partitioner": PARTITIONER,
            "enable.idempotence": True,
            "linger.ms": 20,
            "message.max.bytes": 12 * RECORD_BYTES_MAX,
            "message.timeout.ms": 600_000,
            "queue.buffering.max.kbytes": 1_000_000,
            "log_level": 2,
        }
    )


def send(producer: Producer, topic: str, payload: Payload, note: Note) -> None:
    """Hand over one record; waits while the queue is full."""
    while True:
        try:
            producer.produce(
                topic,
                key=payload.key,
                value=payload.value,
                partition=-1 if payload.partition is None else payload.partition,
                on_delivery=note,
            )
        except BufferError:
            producer.poll(0.5)
        else:
            producer.poll(0)
            return
