"""What a version was asked for, read from the broker: activations and predictions."""

from typing import NamedTuple

from offline import lineage, log
from offline.lineage import Span
from stream_app.contract import wire
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import ACTIVATIONS, PREDICTIONS, full_name


class Service(NamedTuple):
    """What a version was for, and how often it answered."""

    spans: list[Span]
    predictions: int  # in the log now; a version may have had two roles at once


def served(kafka: KafkaSettings, market: str, version: str) -> Service:
    """What the version was in each partition, for which offsets, and what it answered there.

    Raises
    ------
    LogUnreadable : no broker answers, or a topic is not there
    """
    topic = full_name(kafka.prefix, ACTIVATIONS)
    found = Service([], 0)
    for number in log.partitions_of(kafka, topic):
        changes = [wire.decode_activated(r.value or b"") for r in log.records(kafka, topic, number)]
        spans = lineage.spans(version, market, changes)
        if spans:
            answered = _answered(kafka, number, version)
            spans = lineage.spans(version, market, changes, answered)
            found = Service([*found.spans, *spans], found.predictions + len(answered))
    return found


def _answered(kafka: KafkaSettings, number: int, version: str) -> list[int]:
    """Source offsets of a partition that the version answered, as far as the log still has them."""
    topic = full_name(kafka.prefix, PREDICTIONS)
    values = (r.value for r in log.records(kafka, topic, number) if r.value is not None)
    return list(lineage.answered(map(wire.decode_prediction, values), version))
