"""What a partition holds, from its start to where it ends now, as a committed reader sees it."""

from collections.abc import Iterator

from confluent_kafka import IsolationLevel, Message
from confluent_kafka.admin import AdminClient

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import Topic, full_name
from stream_app.shell.region_store import read_between
from stream_app.shell.source import bounds


def committed(
    admin: AdminClient, kafka: KafkaSettings, topic: Topic, partition: int
) -> Iterator[Message]:
    """Every committed record that is there now, offsets rising.

    Raises
    ------
    StateUnreadable : nothing came for half a minute, or the broker refused
    """
    name = full_name(kafka.prefix, topic)
    found = bounds(admin, name, partition, IsolationLevel.READ_COMMITTED)
    yield from read_between(kafka, name, partition, found)
