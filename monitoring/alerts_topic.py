"""`housing.alerts` as a watcher uses it: read in order, written in transactions.

There is one watcher: it writes under one transactional id, so a second one that starts fences
the first, whose next word is not taken. What it has written it knows when it reads it back.
"""

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from monitoring.alerting import topic
from monitoring.broker import NoBroker
from stream_app.contract import wire
from stream_app.contract.alerts import AnyAlertMessage, key_of
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import (
    ALERTS,
    PARTITIONER,
    RECORD_BYTES_MAX,
    group_id,
    transactional_id,
)

_WITHIN_S = 20.0
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
        self._topic = topic.name_of(kafka)
        # The group is asked for by the client, and never used: nothing is committed.
        self._follower = topic.Follower(kafka, group_id(kafka.prefix, writer))
        self._producer = Producer(_writer(kafka, writer))
        try:
            self._producer.init_transactions(_WITHIN_S)
        except KafkaException as error:
            raise NoBroker(f"{kafka.bootstrap_servers}: {error.args[0].str()}") from None

    def read(self, at_least: int = 0) -> list[AnyAlertMessage]:
        """All that is there now and was not read yet, and what is to come before an offset.

        What nobody can read is left out.

        Raises
        ------
        NoBroker : the broker does not give it
        """
        records = self._follower.to_end(at_least)
        return [record.message for record in records if record.message is not None]

    def say(self, messages: Sequence[AnyAlertMessage]) -> list[AnyAlertMessage]:
        """Write all of it or nothing; give all that is read up to and with it.

        Raises
        ------
        NoBroker : not taken; another watcher may have begun
        """
        offsets: list[int] = []

        def note(error: KafkaError | None, sent: Message) -> None:
            if error is None:
                offsets.append(sent.offset() or 0)

        try:
            self._producer.begin_transaction()
            for message in messages:
                self._producer.produce(
                    self._topic,
                    wire.encode(message),
                    key_of(message),
                    partition=topic.PARTITION,
                    on_delivery=note,
                )
            self._producer.flush(_WITHIN_S)  # serves the reports, which a commit does not
            self._producer.commit_transaction(_WITHIN_S)
        except KafkaException as error:
            _LEFT_ALONE.append(self._producer)
            raise NoBroker(f"{self._topic}: {error.args[0].str()}") from None
        # The broker confirms a transaction before it shows it to readers.
        return self.read(max(offsets, default=-1) + 1)

    def close(self) -> None:
        self._follower.close()


def _writer(kafka: KafkaSettings, writer: str) -> dict[str, object]:
    return {
        "bootstrap.servers": kafka.bootstrap_servers,
        "transactional.id": transactional_id(kafka.prefix, writer, ALERTS, topic.PARTITION),
        "partitioner": PARTITIONER,
        "message.max.bytes": RECORD_BYTES_MAX,
        "log_level": 0,
    }
