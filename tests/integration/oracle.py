"""What an unbroken run would have come to: the pure step over the log and its activations."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka.admin import AdminClient

from stream_app.contract import wire
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import (
    ACTIVATIONS,
    EVENTS,
    MODELS,
    OUTCOMES,
    PREDICTIONS,
    REJECTS,
    STATE,
    full_name,
)
from stream_app.shell import model_feed, source
from stream_app.stages import scorer
from stream_app.stages.lineups import Load, lineups, segments
from stream_app.stages.step import Batch, Output, Record, Serving
from tests.integration.workers import PARTITIONS, Seen, read

IN_ORDER = (PREDICTIONS, REJECTS, ACTIVATIONS)  # written beside their source partition


class Unbroken(NamedTuple):
    """Of one partition."""

    outputs: Sequence[Output]
    state: Mapping[str, bytes]


def check_exactly_once(kafka: KafkaSettings, load: Load | None = None) -> None:
    """Compare what is visible with an unbroken run. `load` opens the champions that served.

    Raises
    ------
    AssertionError : lost, visible twice, or not identical; says which and where
    """
    runs = [_unbroken(kafka, partition, load) for partition in range(PARTITIONS)]
    for topic in IN_ORDER:
        for partition, run in enumerate(runs):
            expected = [_as_text(o) for o in run.outputs if o.topic is topic]
            seen = [(s.key, s.value) for s in read(kafka, topic, partition)]
            _compare(expected, seen, f"{topic.name} partition {partition}")
    _compare_outcomes(kafka, runs)
    for partition, run in enumerate(runs):
        assert folded(read(kafka, STATE, partition)) == run.state, f"state of {partition} differs"


def folded(records: Sequence[Seen]) -> dict[str, bytes]:
    """What compaction leaves."""
    newest = {record.key: record.value for record in records}
    return {key: value for key, value in newest.items() if value is not None}


Pair = tuple[str, bytes | None]


def _compare(expected: Sequence[Pair], seen: Sequence[Pair], where: str) -> None:
    twice = Counter(seen) - Counter(set(seen) | set(expected))
    lost = Counter(expected) - Counter(seen)
    assert not twice, f"{where}: {twice.total()} visible twice, the first {next(iter(twice))[0]}"
    assert not lost, f"{where}: {lost.total()} of {len(expected)} lost or other than they should be"
    assert list(seen) == list(expected), f"{where}: more than expected, or in another order"


def _compare_outcomes(kafka: KafkaSettings, runs: Sequence[Unbroken]) -> None:
    """Their order across source partitions is set by the log alone."""
    seen = [(s.key, s.value) for p in range(PARTITIONS) for s in read(kafka, OUTCOMES, p)]
    expected = [_as_text(o) for run in runs for o in run.outputs if o.topic is OUTCOMES]
    _compare(sorted(expected), sorted(seen), OUTCOMES.name)


def _as_text(output: Output) -> Pair:
    return (output.key or b"").decode(), output.value


def _unbroken(kafka: KafkaSettings, partition: int, load: Load | None) -> Unbroken:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    topic = source.describe(admin, full_name(kafka.prefix, EVENTS))
    state: dict[str, bytes] = {}
    outputs: list[Output] = []
    for serving, records in _segments(kafka, partition, load):
        batch = Batch(topic.topic, topic.topic_id, partition, topic.partitions, records)
        step = scorer.advance(batch, state, serving)
        outputs += step.outputs
        for key, value in step.state.items():
            if value is None:
                state.pop(key, None)
            else:
                state[key] = value
    return Unbroken(outputs, state)


def _segments(
    kafka: KafkaSettings, partition: int, load: Load | None
) -> Iterator[tuple[Mapping[str, Serving], list[Record]]]:
    """Cut the log of a partition where what serves it changed."""
    found = lineups(
        (wire.decode_activated(seen.value or b"") for seen in read(kafka, ACTIVATIONS, partition)),
        model_feed.decoded(seen.value for seen in read(kafka, MODELS, 0)),
        load,
    )
    records = (
        Record(seen.offset, seen.key.encode(), seen.value, seen.timestamp_ms)
        for seen in read(kafka, EVENTS, partition)
    )
    return segments(records, found)
