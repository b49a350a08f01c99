"""One partition of a state topic, read to its end. Writing is the publisher's.

Only committed records count, and the end is the last stable offset asked for
beforehand: whoever wants it to be final must have fenced the former writer first.
"""

import time
from typing import NamedTuple

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from stream_app.contract.rejects import OurFault
from stream_app.contract.settings import KafkaSettings
from stream_app.shell.source import bounds

_CHUNK = 5_000
_SILENCE_S = 30.0


class StateUnreadable(OurFault):
    """The broker did not give us the partition to its end."""


class Stored(NamedTuple):
    records: dict[str, bytes]
    end: int  # offset after the last record, transaction markers counted


def read_state(admin: AdminClient, kafka: KafkaSettings, topic: str, partition: int) -> Stored:
    """Read what a state partition holds, the newest record of each key.

    Raises
    ------
    StateUnreadable : nothing came for half a minute, or the broker refused
    """
    start, end = bounds(admin, topic, partition, IsolationLevel.READ_COMMITTED)
    records: dict[str, bytes] = {}
    if start == end:
        return Stored(records, end)
    consumer = Consumer(reader_config(kafka))
    try:
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        _read_until(consumer, end, records, f"{topic} partition {partition}")
    finally:
        consumer.close()
    return Stored(records, end)


def reader_config(kafka: KafkaSettings) -> dict[str, str | int | bool]:
    """What a follower of one partition is made with: committed records, no group."""
    return {
        "bootstrap.servers": kafka.bootstrap_servers,
        "group.id": f"{kafka.prefix}.state-reader",  # asked for, never used: we assign
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 50,
        "fetch.error.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1_000,  # not 10 s: a broker that is back is of use at once
        "log_level": 2,  # what matters comes as an exception
    }


def _read_until(consumer: Consumer, end: int, records: dict[str, bytes], where: str) -> None:
    quiet_since_s = time.monotonic()
    while True:
        messages = consumer.consume(_CHUNK, timeout=0.1)
        if messages:
            quiet_since_s = time.monotonic()
        elif time.monotonic() - quiet_since_s > _SILENCE_S:
            raise StateUnreadable(f"{where}: nothing came for {_SILENCE_S:g} s, end is {end}")
        for message in messages:
            if _reached(message, end, where):
                return
            _keep(message, records)


def _reached(message: Message, end: int, where: str) -> bool:
    """Tell whether this is the end mark; transaction markers lie before it, unseen."""
    error = message.error()
    if error is None:
        return False
    if error.code() == KafkaError._PARTITION_EOF:
        return bool(message.offset() >= end)
    raise StateUnreadable(f"{where}: {error}")


def _keep(message: Message, records: dict[str, bytes]) -> None:
    if message.error() is not None:
        return
    key = message.key().decode()
    records.pop(key, None)  # so that the order is that of the newest records in the log
    if message.value() is not None:
        records[key] = message.value()
