"""One transaction per batch and source partition: all that a step comes to, or nothing.

The transactional id belongs to the source partition: opening a publisher fences
the one before it and aborts what that had left open.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from stream_app.contract.rejects import Undelivered
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import (
    PARTITIONER,
    RECORD_BYTES_MAX,
    Topic,
    full_name,
    transactional_id,
)
from stream_app.shell.chaos import At, Point
from stream_app.stages.step import Output, Step

_log = logging.getLogger(__name__)
# A paused worker holds up read_committed readers of what it wrote for this long.
_TRANSACTION_TIMEOUT_MS = 10_000
_INIT_TIMEOUT_S = 30.0
_ABORT_TIMEOUT_S = 2.0
_FENCED = {
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
}


# Producers of which a transaction failed. One that was fenced with requests on their way, and
# then let go, takes the process down at times: glibc finds the heap of a thread of librdkafka
# (2.16) spoilt. So nothing is asked of them any more, nor are they destroyed: what they hold
# goes with the process, which such a fault mostly ends anyway.
_LEFT_ALONE: list[Producer] = []


class Fenced(Undelivered):
    """Somebody else has opened our transactional id since."""


class Publisher(Protocol):
    def commit(self, step: Step) -> None:
        """Write all of a step. Raise Undelivered unless it is committed."""

    def close(self) -> None:
        """Abort what is open. Never raises."""


class KafkaPublisher:
    """The publisher of one source partition. Used by one thread at a time."""

    def __init__(
        self,
        kafka: KafkaSettings,
        stage: str,
        source: Topic,
        state_topic: Topic,
        partition: int,
        at: At,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._prefix = kafka.prefix
        self._state_topic = full_name(kafka.prefix, state_topic)
        self._partition = partition
        self._at = at
        self._now_ms = now_ms
        # With a logger, librdkafka no longer writes lines of its own between those of the log.
        self._producer = Producer(
            producer_config(kafka, transactional_id(kafka.prefix, stage, source, partition)),
            logger=_log,
        )
        try:
            self._producer.init_transactions(_INIT_TIMEOUT_S)
            self._producer.begin_transaction()
        except KafkaException as error:
            raise _undelivered("init_transactions", error) from error

    def commit(self, step: Step) -> None:
        """Write all of a step in one transaction.

        Raises
        ------
        Fenced : the partition has another owner
        Undelivered : any other fault
        """
        try:
            self._at(Point.BEFORE_OUTPUTS)
            self._write_outputs(step.outputs)
            self._at(Point.AFTER_OUTPUTS)
            self._write_state(step)
            self._at(Point.BEFORE_COMMIT)
            self._producer.commit_transaction()
            # The next one, of which the broker hears with its first record. The call holds the
            # interpreter until the client's thread has answered: 0.05 ms while that is still
            # awake, five times as much before the next batch, which would wait for it.
            self._producer.begin_transaction()
        except (KafkaException, BufferError) as error:
            _LEFT_ALONE.append(self._producer)
            raise _undelivered("transaction", error) from error
        self._at(Point.AFTER_COMMIT)

    def close(self) -> None:
        """Abort what is open, so that the next owner need not wait. Never raises."""
        if self._producer in _LEFT_ALONE:
            return
        # Refused when nothing is open; and if it fails, the next owner aborts it for us.
        with contextlib.suppress(KafkaException):
            self._producer.abort_transaction(_ABORT_TIMEOUT_S)

    def _write_outputs(self, outputs: tuple[Output, ...]) -> None:
        now_ms = self._now_ms()
        for output in outputs:
            headers = list(output.headers)
            if output.cause_ms is not None:
                headers.append(("latency_ms", str(now_ms - output.cause_ms).encode()))
            # librdkafka takes -1 for "where the partitioner says".
            self._producer.produce(
                full_name(self._prefix, output.topic),
                key=output.key,
                value=output.value,
                partition=-1 if output.partition is None else output.partition,
                headers=headers,
            )

    def _write_state(self, step: Step) -> None:
        for key, value in step.state.items():
            self._producer.produce(
                self._state_topic, key=key, value=value, partition=self._partition
            )


def producer_config(kafka: KafkaSettings, transactional: str) -> dict[str, str | int | bool]:
    """What a publisher's client is made with."""
    return {
        "bootstrap.servers": kafka.bootstrap_servers,
        "transactional.id": transactional,
        "transaction.timeout.ms": _TRANSACTION_TIMEOUT_MS,
        "enable.idempotence": True,
        "partitioner": PARTITIONER,
        # Room for a record of the largest size with its headers and overhead.
        "message.max.bytes": RECORD_BYTES_MAX,
        # A whole batch must fit; more than that is never queued.
        "queue.buffering.max.messages": 1_000_000,
        "queue.buffering.max.kbytes": 2_000_000,
        "log_level": 2,  # what matters comes as an exception
    }


def _undelivered(what: str, error: KafkaException | BufferError) -> Undelivered:
    cause = error.args[0] if error.args else error
    fenced = isinstance(cause, KafkaError) and cause.code() in _FENCED
    return (Fenced if fenced else Undelivered)(f"{what}: {cause}")
