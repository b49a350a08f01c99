"""What served, read from the topics that say so: lineups, models, outcomes.

Not here: what is made of it (replay.py).
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from offline import announced, log
from offline.faults import WrongInput
from offline.learning import Learning
from offline.replay_options import Spot
from stream_app.contract import wire
from stream_app.contract.models import Activated
from stream_app.contract.predictions import Outcome
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import ACTIVATIONS, OUTCOMES, full_name
from stream_app.stages.lineups import Lineup, Load, NotAnnounced, lineups

_TAKEN_MAX = 500  # outcomes in one step of the learner


def by_partition(
    kafka: KafkaSettings, numbers: Iterable[int], load: Load
) -> dict[int, list[Lineup]]:
    """What served each of these partitions of the events, and from which offset on.

    Raises
    ------
    BrokerAway : no broker answers
    LogUnreadable : a topic is not there
    WrongInput : an activation names a version that nobody announced
    ModelRefused : a model that served cannot be had any more
    """
    models = list(announced.messages(kafka))
    try:
        return {n: lineups(_activations(kafka, n), models, load) for n in numbers}
    except NotAnnounced as error:
        raise WrongInput(str(error)) from None


def _activations(kafka: KafkaSettings, number: int) -> Iterator[Activated]:
    for record in log.records(kafka, full_name(kafka.prefix, ACTIVATIONS), number):
        yield wire.decode_activated(record.value or b"")


class Rewound(NamedTuple):
    """A learner that has seen what was before an outcome, and that outcome."""

    learning: Learning
    outcome: Outcome


def before(kafka: KafkaSettings, market: str, spot: Spot, without_source: str | None) -> Rewound:
    """Rebuild the learner from `housing.outcomes` up to an outcome, which it has not seen.

    Raises
    ------
    BrokerAway : no broker answers
    LogUnreadable : there is no such topic
    WrongInput : there is no such outcome, or it is another market's
    """
    topic = full_name(kafka.prefix, OUTCOMES)
    if spot.partition not in log.partitions_of(kafka, topic):
        raise WrongInput(f"{topic} has no partition {spot.partition}")
    learning = Learning()
    kept: list[bytes] = []
    for record in log.records(kafka, topic, spot.partition):
        outcome = wire.decode_outcome(record.value or b"")
        if record.offset >= spot.offset:
            if record.offset > spot.offset or outcome.market != market:
                break
            _learn(learning, kept)
            return Rewound(learning, outcome)
        if outcome.market == market and outcome.source != without_source:
            kept.append(record.value or b"")
    raise WrongInput(f"{topic} has no outcome of {market} at {spot}")


def _learn(learning: Learning, outcomes: list[bytes]) -> None:
    left = iter(outcomes)
    while taken := list(islice(left, _TAKEN_MAX)):
        learning.learn(taken)
