"""The source topic as the broker has it: its id, its partitions, where each begins and ends.

State is only worth something together with the log it was made from.
"""

from typing import NamedTuple

from confluent_kafka import IsolationLevel, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from stream_app.contract.rejects import SourceChanged

_TIMEOUT_S = 30.0


class Source(NamedTuple):
    topic: str
    topic_id: str
    partitions: int


class Bounds(NamedTuple):
    start: int  # first offset that is still there
    end: int  # one past the last


def describe(admin: AdminClient, topic: str) -> Source:
    """Ask the broker for a topic's id and size."""
    asked = admin.describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT_S)
    found = asked[topic].result()
    return Source(topic, str(found.topic_id), len(found.partitions))


def bounds(
    admin: AdminClient,
    topic: str,
    partition: int,
    isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
) -> Bounds:
    """Ask where a partition begins and ends; read committed, it ends at the last stable offset."""
    where = TopicPartition(topic, partition)
    start, end = (
        admin.list_offsets({where: spec}, isolation_level=isolation, request_timeout=_TIMEOUT_S)[
            where
        ]
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
    )
    return Bounds(start.result().offset, end.result().offset)


def check_unchanged(
    source: Source, bounds: Bounds, partition: int, topic_id: str, applied: int
) -> None:
    """See that the state, made of `topic_id` up to offset `applied`, belongs to this log.

    Raises
    ------
    SourceChanged : recreated, cut off at its end, or shortened at its start
    """
    where = f"{source.topic} partition {partition}"
    fresh_start = (
        "delete the state and output topics of this prefix and create them anew "
        "(`python -m stream_app topics create`), or choose another HOUSING_KAFKA_PREFIX"
    )
    if topic_id != source.topic_id:
        raise SourceChanged(
            f"{where}: the topic was created anew: its id is {source.topic_id}, "
            f"the state was made from {topic_id}; {fresh_start}"
        )
    if applied + 1 > bounds.end:
        raise SourceChanged(
            f"{where}: the state has applied offset {applied}, but the log ends before "
            f"{bounds.end}: records are lost; restore the log, or {fresh_start}"
        )
    if bounds.start > applied + 1:
        raise SourceChanged(
            f"{where}: offsets {applied + 1} to {bounds.start - 1} were deleted before they were "
            f"applied; restore the log (and raise retention.ms), or {fresh_start}"
        )
