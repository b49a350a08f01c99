"""Records through a stage into a dict, in batches of any size: the shell without a broker."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from stream_app.contract import wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.models import Activated
from stream_app.contract.predictions import Outcome, Prediction
from stream_app.contract.topics import ACTIVATIONS, OUTCOMES, PREDICTIONS, REJECTS, Topic
from stream_app.stages.step import Batch, Output, Record, Serving, State, Step
from tests import builders

TOPIC_ID = "topic-1"


class Advance(Protocol):
    """A stage."""

    def __call__(self, batch: Batch, state: State, serving: Mapping[str, Serving], /) -> Step: ...


class Ran(NamedTuple):
    """What came out, in order, and the state as it stands then."""

    outputs: list[Output]
    state: dict[str, bytes]


def record(event: AnyEvent, offset: int = 0) -> Record:
    """The event as the broker keeps it, taken when it happened."""
    return Record(offset, event.region.encode(), builders.raw(event), event.event_time_ms)


def records(events: Iterable[AnyEvent]) -> list[Record]:
    return [record(event, offset) for offset, event in enumerate(events)]


def batch(taken: Sequence[Record]) -> Batch:
    return Batch("housing.events", TOPIC_ID, 0, 1, taken)


def cut(taken: Sequence[Record], sizes: Iterable[int]) -> list[Sequence[Record]]:
    """Cut into pieces of the given sizes; what is left over is the last piece."""
    pieces, at = [], 0
    for size in sizes:
        pieces.append(taken[at : at + size])
        at += size
    return [piece for piece in [*pieces, taken[at:]] if piece]


def run(
    advance: Advance,
    pieces: Iterable[Sequence[Record]],
    serving: Mapping[str, Serving],
    state: Mapping[str, bytes] | None = None,
) -> Ran:
    """Take the pieces in, one batch each, and keep the state between them."""
    ran = Ran([], dict(state or {}))
    for piece in pieces:
        step = advance(batch(piece), ran.state, serving)
        ran.outputs.extend(step.outputs)
        commit(step, ran.state)
    return ran


def commit(step: Step, state: dict[str, bytes]) -> None:
    """Do what the transaction and the compaction would do to the state."""
    for key, value in step.state.items():
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value


def by_topic(ran: Ran) -> dict[str, list[Output]]:
    """What a reader of each topic sees, in order; between topics there is none."""
    seen: dict[str, list[Output]] = defaultdict(list)
    for output in ran.outputs:
        seen[output.topic.name].append(output)
    return seen


def to_topic(outputs: Iterable[Output], topic: Topic) -> list[Output]:
    return [output for output in outputs if output.topic is topic]


def predictions(outputs: Iterable[Output]) -> list[Prediction]:
    """What was predicted; tombstones are left out."""
    found = to_topic(outputs, PREDICTIONS)
    return [wire.decode_prediction(output.value) for output in found if output.value is not None]


def outcomes(outputs: Iterable[Output]) -> list[Outcome]:
    return [wire.decode_outcome(output.value or b"") for output in to_topic(outputs, OUTCOMES)]


def activations(outputs: Iterable[Output]) -> list[Activated]:
    return [wire.decode_activated(output.value or b"") for output in to_topic(outputs, ACTIVATIONS)]


def reject_codes(outputs: Iterable[Output]) -> list[str]:
    return [dict(output.headers)["code"].decode() for output in to_topic(outputs, REJECTS)]
