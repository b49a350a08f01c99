"""`housing.alerts` on the broker: read in order, from its beginning; written one by one.

Whoever reads it needs all of it, for what is open is made of all that was said. It is small.
"""

import time
from collections.abc import Iterable, Sequence

import msgspec
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from monitoring.alerting.notifier import Read
from monitoring.broker import NoBroker, no_answer
from stream_app.contract import wire
from stream_app.contract.alerts import AnyAlertMessage, key_of
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import ALERTS, PARTITIONER, full_name, group_id

PARTITION = 0
_WITHIN_S = 20.0
_MADE_WITHIN_S = 3.0
_POLL_S = 0.2
_CONSUME_MAX = 500
# The broker holds an empty fetch back for so long, and only then says that this is the end. Of a
# year that is replayed in minutes a watcher asks for it after each day; the default is 500.
_END_KNOWN_MS = 50


def name_of(kafka: KafkaSettings) -> str:
    return full_name(kafka.prefix, ALERTS)


def read(kafka: KafkaSettings) -> list[AnyAlertMessage]:
    """All that is there now; what nobody can read is left out.

    Raises
    ------
    NoBroker : nobody answers, or there is no such topic
    """
    source = Follower(kafka, group_id(kafka.prefix, "alerts-reader"))
    try:
        records = source.to_end()
    finally:
        source.close()
    return [record.message for record in records if record.message is not None]


def tell(kafka: KafkaSettings, messages: Iterable[AnyAlertMessage]) -> None:
    """Write messages; return when the broker has them.

    Raises
    ------
    NoBroker : it did not confirm
    """
    failed: list[KafkaError] = []
    producer = Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "partitioner": PARTITIONER,
            "enable.idempotence": True,
            "message.timeout.ms": int(_WITHIN_S * 1000),
            "log_level": 0,
        }
    )
    for message in messages:
        producer.produce(
            name_of(kafka),
            wire.encode(message),
            key_of(message),
            partition=PARTITION,
            on_delivery=lambda error, _sent: None if error is None else failed.append(error),
        )
    if producer.flush(_WITHIN_S + 5) or failed:
        raise NoBroker(f"{name_of(kafka)}: {failed[0].str() if failed else 'not confirmed'}")


class Follower:
    """Reads the topic from its beginning, as committed; remembers by its group what is done."""

    def __init__(self, kafka: KafkaSettings, group: str) -> None:
        """Find the topic.

        Raises
        ------
        NoBroker : nobody answers, or there is no such topic
        """
        self._servers = kafka.bootstrap_servers
        self._place = TopicPartition(name_of(kafka), PARTITION, 0)
        self._where = f"{name_of(kafka)} at {kafka.bootstrap_servers}"
        self._consumer = Consumer(
            {
                "bootstrap.servers": kafka.bootstrap_servers,
                "group.id": group,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": _END_KNOWN_MS,
                "log_level": 0,
            }
        )
        self._next, self._at_end = 0, False
        self._find()
        self._consumer.assign([self._place])

    def committed(self) -> int | None:
        """What is done; None: the group is new.

        Raises
        ------
        NoBroker : nobody answers
        """
        try:
            (found,) = self._consumer.committed([self._place], timeout=_WITHIN_S)
        except KafkaException as error:
            raise no_answer(self._servers, error) from None
        return None if found.offset < 0 else int(found.offset)

    def poll(self) -> tuple[Sequence[Read], bool]:
        """What came within a moment, and whether it is all there is."""
        found = []
        # One is waited for, the others are those that are there: of `n` all would be waited for.
        messages = self._consumer.consume(1, timeout=_POLL_S)
        messages += self._consumer.consume(_CONSUME_MAX, timeout=0) if messages else []
        for message in messages:
            error = message.error()
            if error is None:
                found.append(_read(message))
                self._next, self._at_end = int(message.offset()) + 1, False
            elif error.code() == KafkaError._PARTITION_EOF:
                # Said once for each time that it is reached, past markers, which are no records.
                self._next, self._at_end = int(message.offset()), True
        return found, self._at_end

    def to_end(self, at_least: int = 0) -> list[Read]:
        """All that is there now and was not read yet, and what is to come before an offset.

        Raises
        ------
        NoBroker : the broker does not give it
        """
        found: list[Read] = []
        end, deadline_s = max(self._end(), at_least), time.monotonic() + _WITHIN_S
        while self._next < end:
            records, _ = self.poll()
            found += records
            if records:
                deadline_s = time.monotonic() + _WITHIN_S
            elif time.monotonic() > deadline_s:
                raise NoBroker(
                    f"{self._where}: offset {end - 1} is not given within {_WITHIN_S:g} s"
                )
        return found

    def _end(self) -> int:
        try:
            _, end = self._consumer.get_watermark_offsets(self._place, timeout=_WITHIN_S)
        except KafkaException as error:
            raise no_answer(self._servers, error) from None
        return int(end)

    def commit(self, offset: int) -> None:
        """Remember that nothing below is owed.

        Raises
        ------
        NoBroker : the broker did not take it
        """
        place = TopicPartition(self._place.topic, PARTITION, offset)
        try:
            self._consumer.commit(offsets=[place], asynchronous=False)
        except KafkaException as error:
            raise NoBroker(f"{self._where}: {error.args[0].str()}") from None

    def _find(self) -> None:
        """Wait for the topic: one that was made just now is not known at once."""
        deadline_s = time.monotonic() + _MADE_WITHIN_S
        while True:
            try:
                found = self._consumer.list_topics(self._place.topic, timeout=_WITHIN_S)
            except KafkaException as error:
                raise no_answer(self._servers, error) from None
            if found.topics[self._place.topic].error is None:
                return
            if time.monotonic() > deadline_s:
                raise NoBroker(f"{self._where} does not exist: python -m stream_app topics create")
            self._consumer.poll(_POLL_S)

    def close(self) -> None:
        self._consumer.close()


def _read(message: Message) -> Read:
    try:
        return Read(int(message.offset()), wire.decode_alert_message(message.value() or b""))
    except msgspec.MsgspecError:
        return Read(int(message.offset()), None)  # a newer program's, or nobody's
