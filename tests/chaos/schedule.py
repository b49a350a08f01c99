"""Which faults come, in which order: drawn by the seed before anything runs. Values only."""

import random
from collections.abc import Mapping, Sequence
from enum import StrEnum, auto
from typing import NamedTuple

from stream_app.shell.chaos import Point

SCORER, LEARNER = "scorer", "learner"


class Kind(StrEnum):
    SIGKILL = auto()
    SIGTERM = auto()
    STOP_SHORT = auto()  # SIGSTOP, SIGCONT before anybody notices
    STOP_LONG = auto()  # ... after somebody else took over
    ZOMBIE = auto()  # the same, stopped inside of a transaction
    JOIN = auto()
    LEAVE = auto()
    STEP_KILL = auto()  # SIGKILL at a named point between the steps of the runner
    STEP_DELAY = auto()  # a pause there, at times longer than a transaction may take
    MODEL_SWAP = auto()
    SWAP_RESTART = auto()  # a worker dies when some partitions have swapped, and its own not
    BROKER_RESTART = auto()
    BROKER_KILL = auto()
    BROKER_PAUSE = auto()


BROKER_KINDS = (Kind.BROKER_RESTART, Kind.BROKER_KILL, Kind.BROKER_PAUSE)
LEARNER_KINDS = (
    Kind.SIGKILL, Kind.SIGTERM, Kind.STOP_SHORT, Kind.STOP_LONG, Kind.STEP_KILL, Kind.STEP_DELAY,
)  # fmt: skip
_LEARNER_SHARE = 0.3
# How often each kind comes after all have come once; the quick ones more often.
_WEIGHTS: Mapping[Kind, int] = {
    Kind.SIGKILL: 5, Kind.SIGTERM: 4, Kind.STOP_SHORT: 5, Kind.STOP_LONG: 2, Kind.ZOMBIE: 2,
    Kind.JOIN: 2, Kind.LEAVE: 2, Kind.STEP_KILL: 4, Kind.STEP_DELAY: 3, Kind.MODEL_SWAP: 5,
    Kind.SWAP_RESTART: 3, Kind.BROKER_RESTART: 1, Kind.BROKER_KILL: 1, Kind.BROKER_PAUSE: 2,
}  # fmt: skip
# A transaction may take 10 s (shell/publisher.py).
_DELAYS_S = (0.3, 1.0, 2.5, 2.5, 11.0)


class Fault(NamedTuple):
    number: int
    kind: Kind
    stage: str  # whose workers it hits; of a broker's fault: all
    draw: int  # which of the workers that it could hit
    seconds: float  # of a pause
    point: Point
    nth: int  # batch of the worker's life at which a point's fault comes


def schedule(seed: int, count: int, broker_is_ours: bool) -> tuple[Fault, ...]:
    """Draw `count` faults: every kind once as far as they go, then by weight.

    A worker that joined leaves again before another one joins.
    """
    draw = random.Random(f"faults {seed}")
    kinds: list[Kind] = [kind for kind in Kind if broker_is_ours or kind not in BROKER_KINDS]
    once: list[Kind] = [kind for kind in kinds if kind is not Kind.LEAVE]
    draw.shuffle(once)
    drawn = once[:count]
    weights = [_WEIGHTS[kind] for kind in kinds]
    drawn += draw.choices(kinds, weights, k=max(0, count - len(drawn)))
    return tuple(_fault(number, kind, draw) for number, kind in enumerate(_joins_and_leaves(drawn)))


def ends_explained(planned: Sequence[Fault], workers: int) -> int:
    """How many workers may end by themselves: each may when its broker fails, one that was
    frozen or held up for longer than a session or a transaction lasts may, and no other.
    """
    frozen = (Kind.STOP_LONG, Kind.ZOMBIE, Kind.STEP_DELAY)
    return sum(
        workers if fault.kind in BROKER_KINDS else int(fault.kind in frozen) for fault in planned
    )


def only(kind: Kind, stage: str, seed: int, count: int, point: Point) -> tuple[Fault, ...]:
    """One kind at one point, again and again: what a control is shown with."""
    draw = random.Random(f"faults {seed}")
    faults = (_fault(number, kind, draw) for number in range(count))
    return tuple(fault._replace(stage=stage, point=point) for fault in faults)


def _joins_and_leaves(drawn: Sequence[Kind]) -> list[Kind]:
    """Let each join be followed by a leave: which of the two is meant follows from what was."""
    joined = False
    kinds = []
    for kind in drawn:
        if kind in (Kind.JOIN, Kind.LEAVE):
            kind = Kind.LEAVE if joined else Kind.JOIN
            joined = not joined
        kinds.append(kind)
    return kinds


def _fault(number: int, kind: Kind, draw: random.Random) -> Fault:
    to_learner = kind in LEARNER_KINDS and draw.random() < _LEARNER_SHARE
    seconds = draw.choice(_DELAYS_S) if kind is Kind.STEP_DELAY else draw.uniform(0.5, 4.0)
    return Fault(
        number,
        kind,
        LEARNER if to_learner else SCORER,
        draw.randrange(10**6),
        round(seconds, 1),
        draw.choice(tuple(Point)),
        draw.randint(1, 12),
    )
