"""`housing.alerts` as a watcher uses it: read in order, written in transactions.

There is one watcher: it writes under one transactional id, so a second one that starts fences
the first, whose next word is not taken. What it has written it knows when it reads it back.
"""

import time
from collections.abc import Sequence

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from monitoring.archive import NoBroker
from stream_app.contract import wire
from stream_app.contract.alerts import AnyAlertMessage, key_of
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import (
    ALERTS,
    PARTITIONER,
    RECORD_BYTES_MAX,
    full_name,
    group_id,
    transactional_id,
)

_PARTITION = 0
_WITHIN_S = 20.0
_POLL_S = 0.2
# One that is fenced and let go may spoil the heap (stream_app/shell/publisher.py).
_LEFT_ALONE: list[Producer] = []


class AlertsTopic:
    """One end of the topic. `writer` names who may write; a second one of that name fences the first."""

    def __init__(self, kafka: KafkaSettings, writer: str) -> None:
        """Fence who wrote before.

        Raises
        ------
        NoBroker : it does not answer, or there is no such topic
        """
        self._topic = full_name(kafka.prefix, ALERTS)
        self._next = 0
        self._failed: list[KafkaError] = []
        client = {"bootstrap.servers": kafka.bootstrap_servers, "log_level": 0}
        self._consumer = Consumer(client | _reader(kafka, writer))
        self._producer = Producer(client | _writer(kafka, writer))
        try:
            self._producer.init_transactions(_WITHIN_S)
        except KafkaException as error:
            words = f"{kafka.bootstrap_servers}: {error.args[0].str()}"
            raise NoBroker(f"no broker answers at {words}") from None
        self._consumer.assign([TopicPartition(self._topic, _PARTITION, 0)])

    def read(self) -> list[AnyAlertMessage]:
        """All that is there now and was not read yet.

        Raises
        ------
        NoBroker : the broker does not give it
        """
        place = TopicPartition(self._topic, _PARTITION)
        try:
            _, end = self._consumer.get_watermark_offsets(place, timeout=_WITHIN_S)
        except KafkaException as error:
            raise NoBroker(f"{self._topic}: {error.args[0].str()}") from None
        found: list[AnyAlertMessage] = []
        deadline_s = time.monotonic() + _WITHIN_S
        while self._next < end:
            message = self._consumer.poll(_POLL_S)
            if message is not None:
                found += self._taken(message)
            if time.monotonic() > deadline_s:
                raise NoBroker(f"{self._topic}: offset {end - 1} is not given back")
        return found

    def say(self, messages: Sequence[AnyAlertMessage]) -> list[AnyAlertMessage]:
        """Write all of it or nothing; give all that is read up to and with it.

        Raises
        ------
        NoBroker : not taken; another watcher may have begun
        """
        try:
            self._producer.begin_transaction()
            for message in messages:
                self._producer.produce(
                    self._topic, wire.encode(message), key_of(message), partition=_PARTITION
                )
            self._producer.commit_transaction(_WITHIN_S)
        except KafkaException as error:
            _LEFT_ALONE.append(self._producer)
            raise NoBroker(f"{self._topic}: {error.args[0].str()}") from None
        return self.read()

    def close(self) -> None:
        self._consumer.close()

    def _taken(self, message: Message) -> list[AnyAlertMessage]:
        error = message.error()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:
            self._next = message.offset()  # past markers, which are no records
            return []
        if error is not None:
            raise NoBroker(f"{self._topic}: {error.str()}")
        self._next = message.offset() + 1
        try:
            return [wire.decode_alert_message(message.value() or b"")]
        except msgspec.MsgspecError:
            return []  # somebody else's record


def _reader(kafka: KafkaSettings, writer: str) -> dict[str, object]:
    return {
        "group.id": group_id(kafka.prefix, writer),  # asked for, and never used
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
    }


def _writer(kafka: KafkaSettings, writer: str) -> dict[str, object]:
    return {
        "transactional.id": transactional_id(kafka.prefix, writer, ALERTS, _PARTITION),
        "partitioner": PARTITIONER,
        "message.max.bytes": RECORD_BYTES_MAX,
    }
