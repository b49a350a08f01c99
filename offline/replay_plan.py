"""From the options of a replay to what is to be done: log, models, range.

A log that keeps its places (the topic, the archive) is served as it was until the range
begins, and so is a file where no version is named: its events are dealt to partitions as
the broker deals them. Otherwise nobody has served the log before the range.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from offline import announced, log, served
from offline.faults import WrongInput
from offline.log import FILE_ID, Partition
from offline.replay import Change, Here, dealt
from offline.replay_options import Spot
from offline.settings import OfflineSettings
from offline.vault import Vault
from stream_app.contract.models import ChampionAnnounced
from stream_app.contract.predictions import Outcome
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import EVENTS, full_name
from stream_app.scoring.champion import Champion
from stream_app.stages.lineups import Lineup

AS_SERVED = "as served"


class Asked(NamedTuple):
    """One way of serving, and what it is called."""

    name: str
    change: Change | None  # None: as served


class Plan(NamedTuple):
    """What is to be done."""

    partitions: Sequence[Partition]
    lineups: Mapping[int, Sequence[Lineup]]
    ways: Sequence[Asked]  # the last one is what was asked for; the one before, what it is held to
    begins: Here
    ends: Here

    @property
    def as_served(self) -> bool:
        """Whether nothing is other than it was."""
        return all(way.change is None for way in self.ways)


def plan(
    given: argparse.Namespace,
    kafka: KafkaSettings,
    own: OfflineSettings,
    partitions: Sequence[Partition],
) -> Plan:
    """Read what is needed of topics and registry.

    Raises
    ------
    WrongInput : options that do not go together; a version, source or place that is not there
    """
    lineups: Mapping[int, Sequence[Lineup]] = {}
    if given.label_delay_days:
        partitions = [_delayed(given, partitions)]
    elif partitions[0].topic != FILE_ID or given.version is None:
        partitions = _placed(kafka, partitions)
        lineups = served.by_partition(kafka, [p.number for p in partitions], Vault(own).open)
    rewound = None
    if given.rewind_to is not None:
        rewound = served.before(kafka, given.market, given.rewind_to, given.without_source)
    ways = _Ways(given, kafka, own, known=bool(lineups))
    return Plan(
        partitions,
        lineups,
        ways.asked(rewound),
        _begins(given, None if rewound is None else rewound.outcome),
        _here(given.market, given.to_ms, given.to_offset) or (lambda placed: False),
    )


def _delayed(given: argparse.Namespace, partitions: Sequence[Partition]) -> Partition:
    if given.version is None:
        raise WrongInput("--label-delay-days goes with --version: nobody has served such a log")
    return log.with_late_sales(log.merged(partitions), given.label_delay_days * DAY_MS)


def _placed(kafka: KafkaSettings, partitions: Sequence[Partition]) -> Sequence[Partition]:
    if partitions[0].topic != FILE_ID:
        return partitions
    topic = full_name(kafka.prefix, EVENTS)
    return dealt(partitions[0], topic, len(log.partitions_of(kafka, topic)))


class _Ways:
    """Looks up who serves, and puts the ways together."""

    def __init__(
        self,
        given: argparse.Namespace,
        kafka: KafkaSettings,
        own: OfflineSettings,
        *,
        known: bool,
    ) -> None:
        self._given = given
        self._kafka = kafka
        self._own = own
        self._known = known  # whether the log says who served

    def asked(self, rewound: served.Rewound | None) -> list[Asked]:
        given = self._given
        wanted = None if given.version is None else self._champion(given.version)
        other = Change(wanted, given.without_source, None if rewound is None else rewound.learning)
        if other == Change():
            if given.against is not None:
                raise WrongInput("--against goes with --version, --without-source or --rewind-to")
            return [Asked(AS_SERVED, None)]
        base = self._base(wanted, only_champion=other == Change(wanted))
        return [*([] if base is None else [base]), Asked(_name(given), other)]

    def _base(self, wanted: Champion | None, *, only_champion: bool) -> Asked | None:
        against = self._given.against
        if against is not None:
            return Asked(against, Change(self._champion(against)))
        if self._known:
            return Asked(AS_SERVED, None)
        return None if only_champion else Asked(self._given.version, Change(wanted))

    def _champion(self, version: str) -> Champion:
        return Vault(self._own).open(self._announcement(version))

    def _announcement(self, version: str) -> ChampionAnnounced:
        """As it was announced, or else as it is registered."""
        market = self._given.market
        if self._known:
            now = announced.read(self._kafka, market)
            if version in now.champions:
                return now.champions[version]
        from offline.registry import Registry

        return Registry(self._own, market).announcement(version)


def _name(given: argparse.Namespace) -> str:
    parts = [
        given.version or AS_SERVED,
        "" if given.without_source is None else f"without {given.without_source}",
        "" if given.rewind_to is None else f"rewound to {given.rewind_to}",
    ]
    return ", ".join(filter(None, parts))


def _begins(given: argparse.Namespace, outcome: Outcome | None) -> Here:
    told = _here(given.market, given.from_ms, given.from_offset)
    if told is not None:
        return told
    return (lambda placed: True) if outcome is None else sale_of(outcome)


def _here(market: str, at_ms: int | None, spot: Spot | None) -> Here | None:
    if spot is not None:
        return lambda placed: (
            placed.partition == spot.partition and placed.line.record.offset >= spot.offset
        )
    if at_ms is not None:
        return lambda placed: (
            placed.line.head.market == market and placed.line.head.event_time_ms >= at_ms
        )
    return None


def sale_of(outcome: Outcome) -> Here:
    """Where the sale lies that the outcome comes of."""
    return lambda placed: (
        placed.line.head.listing_id == outcome.listing_id
        and placed.line.head.event_id == outcome.sale_event_id
    )
