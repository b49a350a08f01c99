"""Finds a prediction and rebuilds it from the log: features, value, all of the record.

The whole partition is replayed from its start to the listing's offset, with the models
that served at each offset (lineups.py). Not only the region's own records: what expires
from the ledger follows the partition's watermark, which every region moves.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec
from confluent_kafka import KafkaException, Message
from confluent_kafka.admin import AdminClient

from stream_app.contract import wire
from stream_app.contract.models import Activated
from stream_app.contract.predictions import Prediction
from stream_app.contract.rejects import ModelNotOpened, SourceChanged
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import (
    ACTIVATIONS,
    EVENTS,
    MODELS,
    PREDICTIONS,
    SHADOW,
    Topic,
    full_name,
)
from stream_app.shell import history, model_feed, source
from stream_app.shell.explained import Explanation
from stream_app.shell.region_store import StateUnreadable, read_state
from stream_app.shell.source import Source
from stream_app.stages import scorer
from stream_app.stages.lineups import Load, NotAnnounced, lineups, segments
from stream_app.stages.step import Batch, Output, Record

_BATCH = 500
_TELL_EVERY = 20_000
_ANSWERS_WITHIN_S = 20.0

Tell = Callable[[str], None]


class CannotExplain(Exception):
    """There is nothing to explain, or nothing to explain it from; says which."""


class Found(NamedTuple):
    """A record and where it lies."""

    topic: Topic
    offset: int
    value: bytes
    said: Prediction


def explain(kafka: KafkaSettings, load: Load, prediction_id: str, tell: Tell) -> Explanation:
    """Find and rebuild; `tell` hears how far it is.

    Raises
    ------
    CannotExplain : no broker, no such prediction, or no log or model to rebuild it from
    """
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 0})
    try:
        admin.list_topics(timeout=_ANSWERS_WITHIN_S)
    except KafkaException as error:
        raise CannotExplain(
            f"no Kafka answers at {kafka.bootstrap_servers}: {error.args[0].str()}"
        ) from None
    try:
        events = source.describe(admin, full_name(kafka.prefix, EVENTS))
        found = _find(admin, kafka, prediction_id, events.partitions)
        tell(f"found on {found.topic.name}, offset {found.offset}; replaying its partition")
        return _rebuild(admin, kafka, load, found, events, tell)
    except (SourceChanged, StateUnreadable) as error:
        raise CannotExplain(str(error)) from error


def _find(admin: AdminClient, kafka: KafkaSettings, prediction_id: str, partitions: int) -> Found:
    superseded_by = None
    for topic in (PREDICTIONS, SHADOW):
        found = None
        for partition in range(partitions):
            for message in history.committed(admin, kafka, topic, partition):
                said = _mentions(message, prediction_id)
                if said is not None and said.prediction_id == prediction_id:
                    # The newest is what compaction keeps.
                    found = Found(topic, message.offset(), message.value(), said)
                elif said is not None:
                    superseded_by = said.prediction_id
        if found is not None:
            return found
    names = " or ".join(full_name(kafka.prefix, topic) for topic in (PREDICTIONS, SHADOW))
    raise CannotExplain(
        f"no prediction {prediction_id} on {names}: "
        + (
            "never made, erased, or older than 400 days"
            if superseded_by is None
            else f"{superseded_by} took its place, and after 7 days only the newest of a "
            "listing is kept"
        )
    )


def _mentions(message: Message, prediction_id: str) -> Prediction | None:
    """The prediction that has this id, or supersedes it. A look at the bytes comes first."""
    value = message.value()
    if value is None or prediction_id.encode() not in value:
        return None
    try:
        said = wire.decode_prediction(value)
    except msgspec.MsgspecError:
        return None  # somebody else's record
    return said if prediction_id in (said.prediction_id, said.supersedes) else None


def _rebuild(
    admin: AdminClient, kafka: KafkaSettings, load: Load, found: Found, events: Source, tell: Tell
) -> Explanation:
    said = found.said
    partition, last = said.source_partition, said.source_offset
    start, end = source.bounds(admin, events.topic, partition)
    if start > 0 or end <= last:
        raise CannotExplain(
            f"{events.topic} partition {partition} holds offsets {start} to {end - 1}; to rebuild "
            f"the prediction all from 0 to {last} are needed"
        )
    activations = list(_activations(admin, kafka, partition, last))
    models = read_state(admin, kafka, full_name(kafka.prefix, MODELS), 0).records.values()
    try:
        lineup = lineups(activations, model_feed.decoded(models), load)
    except (NotAnnounced, ModelNotOpened) as error:
        raise CannotExplain(f"a model that served it cannot be had: {error}") from error
    state: dict[str, bytes] = {}
    outputs: Sequence[Output] = ()
    replayed = 0
    for serving, segment in segments(_records(admin, kafka, partition, last), lineup):
        for records in _cut(segment):
            batch = Batch(events.topic, events.topic_id, partition, events.partitions, records)
            step = scorer.advance(batch, state, serving)
            outputs = step.outputs
            for key, value in step.state.items():
                if value is None:
                    state.pop(key, None)
                else:
                    state[key] = value
            replayed += len(records)
            if replayed % _TELL_EVERY < len(records):
                tell(f"  {replayed:,} events, offset {records[-1].offset} of {last}")
    rebuilt = next((o.value for o in outputs if _is(o, found)), None)
    mine = [each for each in activations if each.market == said.market][-1:]
    return Explanation(
        full_name(kafka.prefix, found.topic), found.offset, found.value, rebuilt, replayed, mine
    )


def _activations(
    admin: AdminClient, kafka: KafkaSettings, partition: int, last: int
) -> Iterator[Activated]:
    for message in history.committed(admin, kafka, ACTIVATIONS, partition):
        activated = wire.decode_activated(message.value())
        if activated.from_offset <= last:  # models that came later need not be loaded
            yield activated


def _records(
    admin: AdminClient, kafka: KafkaSettings, partition: int, last: int
) -> Iterator[Record]:
    for message in history.committed(admin, kafka, EVENTS, partition):
        if message.offset() > last:
            return
        yield Record(message.offset(), message.key(), message.value(), message.timestamp()[1])


def _cut(records: Sequence[Record]) -> Iterator[list[Record]]:
    left = iter(records)
    while piece := list(islice(left, _BATCH)):
        yield piece


def _is(output: Output, found: Found) -> bool:
    if output.topic is not found.topic or output.value is None:
        return False
    return wire.decode_prediction(output.value).prediction_id == found.said.prediction_id
