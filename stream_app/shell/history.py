"""What a partition holds, from its start to where it ends now, as a committed reader sees it."""

import time
from collections.abc import Iterator
from contextlib import closing

from confluent_kafka import Consumer, IsolationLevel, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import Topic, full_name
from stream_app.shell.region_store import StateUnreadable, reader_config
from stream_app.shell.source import bounds

_CHUNK = 2_000
_SILENCE_S = 30.0


def committed(
    admin: AdminClient, kafka: KafkaSettings, topic: Topic, partition: int
) -> Iterator[Message]:
    """Every committed record that is there now, offsets rising.

    Raises
    ------
    StateUnreadable : nothing came for half a minute, or the broker refused
    """
    name = full_name(kafka.prefix, topic)
    start, end = bounds(admin, name, partition, IsolationLevel.READ_COMMITTED)
    if start == end:
        return
    with closing(Consumer(reader_config(kafka))) as consumer:
        consumer.assign([TopicPartition(name, partition, start)])
        quiet_since_s = time.monotonic()
        while True:
            messages = consumer.consume(_CHUNK, timeout=0.1)
            if messages:
                quiet_since_s = time.monotonic()
            elif time.monotonic() - quiet_since_s > _SILENCE_S:
                raise StateUnreadable(f"{name}[{partition}]: nothing for {_SILENCE_S:g} s")
            for message in messages:
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise StateUnreadable(f"{name}[{partition}]: {error}")
                if message.offset() >= end:  # the end mark, or what came since
                    return
                if error is None:
                    yield message
