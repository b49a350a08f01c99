"""What the pure step costs, and where, without a broker. One thread, which waits for nobody.

A partition is served with the bench's champion and corrector until its windows are full, then
the events that follow are served in batches of one size, several times from the same state;
of each batch the least time counts, so that what else the machine does is left out. (The clock
of the processor is no help: where it is a call to the kernel, it takes 0.1 ms to look at.)

Parts are timed in a pass of their own, and told as shares of it.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from bench.load import Message
from bench.weights import remember
from stream_app.contract import rules, wire
from stream_app.core import labels, pipeline, region
from stream_app.scoring import reasons
from stream_app.scoring.champion import Champion
from stream_app.scoring.corrector import Learner
from stream_app.stages import answer, scorer
from stream_app.stages.step import Batch, Record, Serving

WARM_BATCH = 500
_APPENDED_MS = 1_800_000_000_000  # after every event of the load: none is from the future
_US = 1e6

# Part -> the functions that do it. None calls one of another part.
PARTS: Mapping[str, Sequence[tuple[object, str]]] = {
    "decode": [(wire, "decode_event")],
    "rules": [(rules, "violation")],
    "features": [(pipeline, "featurise")],
    "reasons": [(reasons, "what_if"), (reasons, "explain")],
    "champion": [(Champion, "predict_log")],
    "corrector": [(Learner, "predict"), (Learner, "learn"), (Learner, "freeze")],
    "interval": [(answer, "fill")],
    "encode": [(wire, "encode")],
    "state": [
        (region, "thaw"),
        (region, "freeze"),
        (labels, "thaw"),
        (labels, "freeze"),
    ],
}

State = dict[str, bytes]
Models = Mapping[str, Serving]


class Cost(NamedTuple):
    """Of one event, listings and sales in the mean."""

    us: float
    parts: Mapping[str, float]  # microseconds; `rest`: what is in none of `PARTS`


def records(messages: Sequence[Message]) -> list[Record]:
    return [Record(n, *message, _APPENDED_MS) for n, message in enumerate(messages)]


def served(taken: Sequence[Record], state: State, models: Models, size: int) -> list[float]:
    """Serve records in batches of a size; what each batch took, seconds."""
    took_s = []
    for start in range(0, len(taken), size):
        batch = Batch("bench", "topic", 0, 1, taken[start : start + size])
        began_s = time.perf_counter()
        step = scorer.advance(batch, state, models)
        took_s.append(time.perf_counter() - began_s)
        remember(step, state)
    return took_s


def warmed(taken: Sequence[Record], models: Models) -> State:
    """The state after these records."""
    state: State = {}
    served(taken, state, models, WARM_BATCH)
    return state


def cost(taken: Sequence[Record], state: State, models: Models, size: int, rounds: int) -> Cost:
    """What the step costs in batches of a size, from a state, which stays as it is."""
    passes = [served(taken, dict(state), models, size) for _ in range(rounds)]
    us = sum(map(min, zip(*passes, strict=True))) / len(taken) * _US
    with _timed() as took_s:
        began_s = time.perf_counter()
        served(taken, dict(state), models, size)
        whole_s = time.perf_counter() - began_s
    shares = {part: took_s[part] / whole_s for part in PARTS}
    shares["rest"] = 1 - sum(shares.values())
    return Cost(us, {part: share * us for part, share in shares.items()})


def along(taken: Sequence[Record], models: Models, size: int, pieces: int) -> list[float]:
    """What an event costs in each piece of a stream that begins with an empty state, us."""
    state: State = {}
    length = len(taken) // pieces
    return [
        sum(served(taken[n * length : (n + 1) * length], state, models, size)) / length * _US
        for n in range(pieces)
    ]


@contextmanager
def _timed() -> Iterator[Mapping[str, float]]:
    """The functions of each part, timed meanwhile."""
    took_s: dict[str, float] = defaultdict(float)
    with ExitStack() as put_back:
        for part, functions in PARTS.items():
            for owner, name in functions:
                own = getattr(owner, name)
                put_back.callback(setattr, owner, name, own)
                setattr(owner, name, _timing(own, part, took_s))
        yield took_s


def _timing(
    own: Callable[..., object], part: str, took_s: dict[str, float]
) -> Callable[..., object]:
    def timing(*given: object, **named: object) -> object:
        began_s = time.perf_counter()
        try:
            return own(*given, **named)
        finally:
            took_s[part] += time.perf_counter() - began_s

    return timing
