"""`housing.alerts` as the worker and the command line use it: read in order, written in transactions.

There is one worker: it writes under one transactional id, so a second one that starts fences
the first, whose next word is then not taken. Reading starts at the topic's beginning; the
group's offsets are never asked.
"""

import time
from collections.abc import Iterator, Sequence

import msgspec
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from offline import log
from offline.faults import BrokerAway, no_kafka
from offline.writing import writer_config
from stream_app.contract import wire
from stream_app.contract.alerts import AnyAlertMessage, key_of
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import ALERTS, full_name, transactional_id

_PARTITION = 0
_WITHIN_S = 20.0  # for the broker to take an answer, and to give it back
_POLL_S = 0.2
# Producers of which a transaction failed go with the process: one that is fenced and let go
# may spoil its heap (stream_app/shell/publisher.py).
_LEFT_ALONE: list[Producer] = []


class NotSaid(BrokerAway):
    """The broker did not take what was to be said, or does not give it back."""


def name_of(kafka: KafkaSettings) -> str:
    return full_name(kafka.prefix, ALERTS)


def read(kafka: KafkaSettings) -> Iterator[AnyAlertMessage]:
    """All that is on the topic now; what nobody can read is left out.

    Raises
    ------
    BrokerAway : no broker answers
    LogUnreadable : there is no such topic
    """
    topic = name_of(kafka)
    log.partitions_of(kafka, topic)
    for record in log.records(kafka, topic, _PARTITION):
        message = decoded(record.value)
        if message is not None:
            yield message


def decoded(value: bytes | None) -> AnyAlertMessage | None:
    try:
        return wire.decode_alert_message(value or b"")
    except msgspec.MsgspecError:
        return None  # somebody else's record


def tell(kafka: KafkaSettings, message: AnyAlertMessage) -> None:
    """Write one message, as whoever asks does.

    Raises
    ------
    NotSaid : the broker did not confirm
    """
    failed: list[KafkaError] = []
    producer = Producer(writer_config(kafka) | {"message.timeout.ms": int(_WITHIN_S * 1000)})
    producer.produce(
        name_of(kafka),
        wire.encode(message),
        key_of(message),
        partition=_PARTITION,
        on_delivery=lambda error, _sent: None if error is None else failed.append(error),
    )
    if producer.flush(_WITHIN_S + 5) or failed:
        raise NotSaid(f"{name_of(kafka)}: {failed[0] if failed else 'not confirmed'}")


class AlertsLog:
    """The worker's end of the topic. Leaves by `close`."""

    def __init__(self, kafka: KafkaSettings) -> None:
        """Fence the former worker; after that nobody else answers.

        Raises
        ------
        NotSaid : the broker does not let us
        """
        self._kafka = kafka
        identity = transactional_id(kafka.prefix, "offline", ALERTS, _PARTITION)
        self._producer = Producer(writer_config(kafka) | {"transactional.id": identity})
        self._consumer = Consumer(log.reader_config(kafka))
        self._next = 0  # offset to be read next
        try:
            self._producer.init_transactions(_WITHIN_S)
        except KafkaException as error:
            raise NotSaid(no_kafka(kafka.bootstrap_servers, error.args[0].str())) from None
        self._consumer.assign([TopicPartition(name_of(kafka), _PARTITION, 0)])

    def to_end(self) -> list[AnyAlertMessage]:
        """All that is there now and was not read yet.

        Raises
        ------
        NotSaid : the broker does not give it
        """
        place = TopicPartition(name_of(self._kafka), _PARTITION)
        try:
            _, end = self._consumer.get_watermark_offsets(place, timeout=_WITHIN_S)
        except KafkaException as error:
            raise NotSaid(f"{name_of(self._kafka)}: {error.args[0].str()}") from None
        return self._until(int(end))

    def more(self) -> list[AnyAlertMessage]:
        """What came since, within a moment."""
        return [m for record in self._take() if (m := decoded(record.value())) is not None]

    def say(self, messages: Sequence[AnyAlertMessage]) -> list[AnyAlertMessage]:
        """Write all of it or nothing; give all that is read up to and with it.

        Raises
        ------
        NotSaid : not taken; another worker may have begun
        """
        offsets: list[int] = []

        def note(error: KafkaError | None, sent: Message) -> None:
            if error is None:
                offsets.append(sent.offset())

        try:
            self._producer.begin_transaction()
            for message in messages:
                self._producer.produce(
                    name_of(self._kafka),
                    wire.encode(message),
                    key_of(message),
                    partition=_PARTITION,
                    on_delivery=note,
                )
            self._producer.flush(_WITHIN_S)  # serves the reports, which a commit does not
            self._producer.commit_transaction(_WITHIN_S)
        except KafkaException as error:
            _LEFT_ALONE.append(self._producer)
            raise NotSaid(f"{name_of(self._kafka)}: {error.args[0].str()}") from None
        return self._until(max(offsets) + 1)

    def close(self) -> None:
        self._consumer.close()

    def _until(self, end: int) -> list[AnyAlertMessage]:
        found: list[AnyAlertMessage] = []
        deadline_s = time.monotonic() + _WITHIN_S
        while self._next < end:
            found += self.more()
            if time.monotonic() > deadline_s:
                raise NotSaid(f"{name_of(self._kafka)}: offset {end - 1} is not given back")
        return found

    def _take(self) -> list[Message]:
        taken = []
        for message in self._consumer.consume(500, timeout=_POLL_S):
            if message.error() is None:
                taken.append(message)
            elif message.error().code() != KafkaError._PARTITION_EOF:
                raise NotSaid(f"{name_of(self._kafka)}: {message.error().str()}")
        (place,) = self._consumer.position([TopicPartition(name_of(self._kafka), _PARTITION)])
        self._next = max(self._next, place.offset)
        return taken
