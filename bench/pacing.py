"""Publishes by the clock, whether or not anybody keeps up, and notes when listings were appended."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import Message, Producer

from bench import load
from stream_app.contract.topics import PARTITIONER

BURST_EVERY_S, BURST_WITHIN_S = 2.0, 0.2
_TICK_S = 0.001
_LISTING = b'"kind":"listing"'


class Place(NamedTuple):
    """Where an event stands in the log."""

    partition: int
    offset: int


class Pacer:
    """A publisher of a steady rate, or of the same rate in bursts."""

    def __init__(self, brokers: str, topic: str, *, in_bursts: bool = False) -> None:
        self.appended_ms: dict[Place, int] = {}  # of listings: each causes a prediction
        self.sent = 0  # in all
        self._topic, self._in_bursts = topic, in_bursts
        self._producer = Producer({"bootstrap.servers": brokers, "partitioner": PARTITIONER})

    def send(self, messages: Sequence[load.Message], rate: int) -> None:
        """Send each in its time; return when all are in the log and their time is over."""
        began_s, sent = time.perf_counter(), 0
        while (passed_s := time.perf_counter() - began_s) * rate < len(messages):
            sent = self._send(messages, sent, due(passed_s, rate, in_bursts=self._in_bursts))
            time.sleep(_TICK_S)
        self._send(messages, sent, len(messages))
        self._producer.flush(30)
        self.sent += len(messages)

    def _send(self, messages: Sequence[load.Message], begin: int, end: int) -> int:
        for message in messages[begin:end]:
            self._producer.produce(self._topic, on_delivery=self._note, **message._asdict())
        self._producer.poll(0)
        return end

    def _note(self, _error: object, message: Message) -> None:
        if _LISTING in message.value():
            _, at_ms = message.timestamp()
            self.appended_ms[Place(message.partition(), message.offset())] = at_ms


def due(passed_s: float, rate: int, *, in_bursts: bool) -> int:
    """How many events have been sent by then. In bursts, those of 2 s within the first 0.2 s.

    >>> due(1.5, 1_000, in_bursts=False), due(0.1, 1_000, in_bursts=True)
    (1500, 1000)
    >>> due(1.5, 1_000, in_bursts=True), due(2.1, 1_000, in_bursts=True)
    (2000, 3000)
    """
    if in_bursts:
        over, rest_s = divmod(passed_s, BURST_EVERY_S)
        passed_s = BURST_EVERY_S * (over + min(1.0, rest_s / BURST_WITHIN_S))
    return round(passed_s * rate)
