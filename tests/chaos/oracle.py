"""What an unbroken run would have come to, recomputed by the pure steps, and compared.

Input are the committed logs: events, activations and models for the scorer, outcomes for
the learner. One partition at a time, several in processes of their own. Of outputs only a
name and a digest are kept, so a million events fit in memory.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import NamedTuple, TypeVar

from confluent_kafka.admin import AdminClient

from stream_app.contract import topics, wire
from stream_app.contract.ids import partition_of
from stream_app.contract.models import CorrectorAnnounced
from stream_app.contract.predictions import Outcome
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, OUTCOMES, Topic, full_name
from stream_app.shell import model_feed, source
from stream_app.shell.runner import Stage
from stream_app.shell.settings import StreamSettings
from stream_app.stages import learner, scorer
from stream_app.stages.lineups import lineups, segments
from stream_app.stages.step import Batch, Record, Serving
from tests.chaos import committed
from tests.chaos.tally import Named, Tally, compare, compare_state
from tests.replay import commit

_CUT = 1_000  # any cutting gives the same: tests/laws/test_batches.py
_AT_ONCE = 2
# Written beside their source partition. Outcomes are not, and are compared apart.
_BESIDE = (topics.PREDICTIONS, topics.SHADOW, topics.REJECTS, topics.ACTIVATIONS)

T = TypeVar("T")
Served = Iterable[tuple[Mapping[str, Serving], Sequence[Record]]]


class Judged(NamedTuple):
    """Of one partition, or of all."""

    tally: Tally
    counts: Counter[str]  # records read and made, by name
    outcomes: list[Named]  # that the scorer should have made, in order


class Unbroken(NamedTuple):
    outputs: Mapping[str, list[Named]]  # by topic
    state: dict[str, bytes]
    records: int


def judge(kafka: KafkaSettings, settings: StreamSettings, partitions: int) -> Judged:
    """Compare everything that is visible with what should be."""
    numbers = range(partitions)
    with ProcessPoolExecutor(_AT_ONCE, mp_context=get_context("spawn")) as pool:
        scored = pool.map(judge_scorer, *zip(*((kafka, settings, p) for p in numbers), strict=True))
        learned = pool.map(judge_learner, *zip(*((kafka, p) for p in numbers), strict=True))
        expected = []
        total = Judged(Tally(), Counter(), [])
        for part in scored:
            expected.append(part.outcomes)
            total = _added(total, part)
        for part in learned:
            total = _added(total, part)
    return _added(total, Judged(_judge_outcomes(kafka, expected), Counter(), []))


def judge_scorer(kafka: KafkaSettings, settings: StreamSettings, partition: int) -> Judged:
    """One partition of events, and all that was made of it, but for outcomes."""
    found = lineups(
        (
            wire.decode_activated(r.value or b"")
            for r in committed.records(kafka, topics.ACTIVATIONS, partition)
        ),
        model_feed.decoded(r.value for r in committed.records(kafka, topics.MODELS, 0)),
        model_feed.loader(settings),
    )
    run = _unbroken(
        scorer, kafka, partition, segments(committed.records(kafka, EVENTS, partition), found)
    )
    tally = compare_state(run.state, committed.folded(kafka, topics.STATE, partition))
    for topic in _BESIDE:
        tally += compare(run.outputs.get(topic.name, []), _seen(kafka, topic, partition))
    counts = Counter({name: len(made) for name, made in run.outputs.items()})
    counts["events"] = run.records
    _tell(f"scorer, partition {partition}: {run.records} events recomputed: {tally}")
    return Judged(tally, counts, run.outputs.get(OUTCOMES.name, []))


def judge_learner(kafka: KafkaSettings, partition: int) -> Judged:
    """One partition of outcomes, and the versions that were made of it."""
    run = _unbroken(
        learner, kafka, partition, [({}, committed.records(kafka, OUTCOMES, partition))]
    )
    tally = compare_state(run.state, committed.folded(kafka, topics.LEARNER_STATE, partition))
    versions = [
        committed.named_message(topics.MODELS, message)
        for message in committed.read(kafka, topics.MODELS, 0)
        if _version_of(message.value(), partition)
    ]
    tally += compare(run.outputs.get(topics.MODELS.name, []), versions)
    counts = Counter({"outcomes_learned": run.records, "versions": len(versions)})
    _tell(f"learner, partition {partition}: {run.records} outcomes recomputed: {tally}")
    return Judged(tally, counts, [])


def _judge_outcomes(kafka: KafkaSettings, expected: Sequence[list[Named]]) -> Tally:
    """Outcomes of all partitions mingle: within what one source partition made, order holds."""
    seen: list[list[Named]] = [[] for _ in expected]
    for partition in range(len(expected)):
        for message in committed.read(kafka, OUTCOMES, partition):
            outcome: Outcome = wire.decode_outcome(message.value())
            home = partition_of(outcome.region.encode(), len(expected))
            seen[home].append(committed.named_message(OUTCOMES, message))
    return sum((compare(e, s) for e, s in zip(expected, seen, strict=True)), Tally())


def _unbroken(
    stage: Stage,
    kafka: KafkaSettings,
    partition: int,
    served: Iterable[tuple[Mapping[str, Serving], Iterable[Record]]],
) -> Unbroken:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 2})
    topic = source.describe(admin, full_name(kafka.prefix, stage.SOURCE))
    state: dict[str, bytes] = {}
    outputs: dict[str, list[Named]] = defaultdict(list)
    count = 0
    for serving, records in served:
        for piece in _pieces(records):
            batch = Batch(topic.topic, topic.topic_id, partition, topic.partitions, piece)
            step = stage.advance(batch, state, serving)
            commit(step, state)
            count += len(piece)
            for output in step.outputs:
                outputs[output.topic.name].append(committed.named_output(output))
    return Unbroken(outputs, state, count)


def _pieces(records: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(records)
    while piece := list(islice(rest, _CUT)):
        yield piece


def _seen(kafka: KafkaSettings, topic: Topic, partition: int) -> list[Named]:
    return [committed.named_message(topic, m) for m in committed.read(kafka, topic, partition)]


def _version_of(value: bytes | None, partition: int) -> bool:
    return any(
        isinstance(message, CorrectorAnnounced) and message.outcome_partition == partition
        for message in model_feed.decoded([value])
    )


def _added(a: Judged, b: Judged) -> Judged:
    return Judged(a.tally + b.tally, a.counts + b.counts, [])


def _tell(line: str) -> None:
    sys.stderr.write(f"oracle: {line}\n")
