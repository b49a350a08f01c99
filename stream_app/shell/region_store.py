"""One partition of a state topic, read to its end. Writing is the publisher's.

Only committed records count, and the end is the last stable offset asked for
beforehand: whoever wants it to be final must have fenced the former writer first.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from stream_app.contract.rejects import OurFault
from stream_app.contract.settings import KafkaSettings
from stream_app.shell.source import Bounds, bounds

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
    found = bounds(admin, topic, partition, IsolationLevel.READ_COMMITTED)
    records: dict[str, bytes] = {}
    for message in read_between(kafka, topic, partition, found):
        _keep(message, records)
    return Stored(records, found.end)


def read_between(
    kafka: KafkaSettings, topic: str, partition: int, found: Bounds
) -> Iterator[Message]:
    """Every committed record within these bounds, offsets rising.

    Raises
    ------
    StateUnreadable : nothing came for half a minute, or the broker refused
    """
    start, end = found
    if start == end:
        return
    where = f"{topic} partition {partition}"
    with closing(Consumer(reader_config(kafka))) as consumer:
        consumer.assign([TopicPartition(topic, partition, start)])
        quiet_since_s = time.monotonic()
        while True:
            messages = consumer.consume(_CHUNK, timeout=0.1)
            if messages:
                quiet_since_s = time.monotonic()
            elif time.monotonic() - quiet_since_s > _SILENCE_S:
                raise StateUnreadable(f"{where}: nothing came for {_SILENCE_S:g} s, end is {end}")
            for message in messages:
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise StateUnreadable(f"{where}: {error}")
                # The end mark, or what came since; transaction markers lie before it, unseen.
                if message.offset() >= end:
                    return
                if error is None:
                    yield message


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


def _keep(message: Message, records: dict[str, bytes]) -> None:
    key = message.key().decode()
    records.pop(key, None)  # so that the order is that of the newest records in the log
    if message.value() is not None:
        records[key] = message.value()
