"""A log that was served: a partition for each region and two empty ones, champions that change, a learner in between."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

from offline import log
from offline.learning import Learning
from offline.log import Line, Partition
from offline.replay import dealt
from stream_app.contract import topics, wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.models import (
    Activated,
    AnyModelMessage,
    ChampionAnnounced,
    CorrectorAnnounced,
)
from stream_app.stages import lineups, scorer
from stream_app.stages.lineups import Lineup
from stream_app.stages.step import Batch, Output, PriceModel, Serving
from tests import messages, replay, sales
from tests.builders import MARKET
from tests.fakes.champion import FakeChampion

PARTITIONS = 5  # murmur2 puts the three regions on 0, 1 and 3
_REGIONS = 3
FIRST, SECOND = FakeChampion("v1", 8.3), FakeChampion("v2", 8.4)
_BATCH = 37  # no divisor of what a replay takes at once


class ServedLog(NamedTuple):
    """What the broker holds afterwards."""

    events: Sequence[AnyEvent]
    activations: Mapping[int, Sequence[Activated]]
    correctors: Sequence[CorrectorAnnounced]
    outputs: Sequence[Output]

    def partitions(self) -> list[Partition]:
        return dealt(sales.partition(list(self.events)), "housing.events", PARTITIONS)

    def lineups(self) -> dict[int, list[Lineup]]:
        announced: list[AnyModelMessage] = [_announced("v1"), _announced("v2"), *self.correctors]
        return {n: lineups.lineups(a, announced, _load) for n, a in self.activations.items()}


def served(outputs: Sequence[Output], topic: topics.Topic) -> list[bytes]:
    """Values of a topic, sorted: across partitions there is no order."""
    return sorted(o.value or b"" for o in outputs if o.topic is topic)


@cache
def served_log(homes: int = 600) -> ServedLog:
    """Serve the market of `sales`, one partition after the other in each round.

    v1 serves from the start, v2 from the middle on; each corrector version from the round
    after the one that made it.
    """
    events = sales.events(homes)
    learning = Learning()
    states: list[dict[str, bytes]] = [{} for _ in range(PARTITIONS)]
    outputs: list[Output] = []
    correctors: list[CorrectorAnnounced] = []
    lines = [iter(p.lines) for p in dealt(sales.partition(events), "housing.events", PARTITIONS)]
    rounds = 0
    while batches := list(_round(lines)):
        champion = FIRST if rounds < homes / _REGIONS / _BATCH else SECOND
        serving = {MARKET: Serving(champion, correctors[-1] if correctors else None)}
        new: list[Output] = []
        for number, batch in batches:
            done = scorer.advance(batch, states[number], serving)
            replay.commit(done, states[number])
            new += done.outputs
        made = learning.learn(o.value for o in new if o.topic is topics.OUTCOMES)
        correctors += [] if made is None else [made]
        outputs += new
        rounds += 1
    return ServedLog(events, _activations(outputs), correctors, outputs)


def _round(lines: Sequence[Iterator[Line]]) -> Iterator[tuple[int, Batch]]:
    for number, left in enumerate(lines):
        if taken := list(islice(left, _BATCH)):
            records = [line.record for line in taken]
            yield number, Batch("housing.events", log.FILE_ID, number, PARTITIONS, records)


def _activations(outputs: Sequence[Output]) -> dict[int, list[Activated]]:
    found: dict[int, list[Activated]] = {n: [] for n in range(PARTITIONS)}
    for output in outputs:
        if output.topic is topics.ACTIVATIONS:
            activated = wire.decode_activated(output.value or b"")
            found[activated.partition].append(activated)
    return found


def _announced(version: str) -> ChampionAnnounced:
    return messages.champion(manifest=messages.manifest(version=version))


def _load(announced: ChampionAnnounced) -> PriceModel:
    return {"v1": FIRST, "v2": SECOND}[announced.manifest.version]
