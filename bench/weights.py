"""What an event, a region and a home weigh: bytes, counted over the pure step without a broker."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bench.load import Message
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Record, Serving, Step

BATCH_MAX = 500  # as a worker under load has them
_APPENDED_MS = 1_800_000_000_000  # after every event of the load: none is from the future


class Weights(NamedTuple):
    event_bytes: float
    written_bytes: float  # for each event
    region_bytes: float
    home_bytes: float  # of the ledger, in the mean of those sold and not
    state_bytes: float  # of all records, at the end


def weigh(messages: Sequence[Message], serving: Mapping[str, Serving]) -> Weights:
    """Run the scorer's step over the messages, as one partition."""
    state: dict[str, bytes] = {}
    written = sum(map(_bytes, stepped(messages, serving, state)))
    return Weights(
        statistics.fmean(len(message.key) + len(message.value) for message in messages),
        written / len(messages),
        _mean_bytes(state, "region:"),
        _mean_bytes(state, "listing:"),
        sum(len(key) + len(value) for key, value in state.items()),
    )


def stepped(
    messages: Sequence[Message], serving: Mapping[str, Serving], state: dict[str, bytes]
) -> Iterator[Step]:
    """Each step; the state is changed by it."""
    records = [Record(n, *message, _APPENDED_MS) for n, message in enumerate(messages)]
    for start in range(0, len(records), BATCH_MAX):
        batch = Batch("weighed", "topic", 0, 1, records[start : start + BATCH_MAX])
        step = scorer.advance(batch, state, serving)
        remember(step, state)
        yield step


def remember(step: Step, state: dict[str, bytes]) -> None:
    """Put what a step has changed into the state."""
    for key, value in step.state.items():
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value


def _bytes(step: Step) -> int:
    """What a transaction weighs."""
    values = [output.value or b"" for output in step.outputs]
    values += [value or b"" for value in step.state.values()]
    return sum(map(len, values))


def _mean_bytes(state: Mapping[str, bytes], prefix: str) -> float:
    found = [len(key) + len(value) for key, value in state.items() if key.startswith(prefix)]
    return statistics.fmean(found) if found else 0.0
