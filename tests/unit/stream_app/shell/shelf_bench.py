"""A shelf whose models are made up, and what it did with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stream_app.contract.models import AnyModelMessage, ChampionAnnounced, CorrectorAnnounced
from stream_app.contract.rejects import ModelRefused, ModelUnavailable
from stream_app.scoring.corrector import FEATURES
from stream_app.shell.shelf import Opened, Refusal, Shelf
from stream_app.stages.step import PriceModel, Roster
from tests import messages
from tests.builders import MARKET
from tests.fakes.champion import FakeChampion


@dataclass
class Bench:
    """A shelf, and what it did. What stands in `spoilt` is refused when it is looked at again."""

    opened: list[str] = field(default_factory=list)
    rechecked: list[str] = field(default_factory=list)
    alarms: list[Refusal] = field(default_factory=list)
    spoilt: set[str] = field(default_factory=set)
    bad: set[str] = field(default_factory=lambda: {"bad"})  # refused
    away: set[str] = field(default_factory=set)  # not there just now
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.open, self.recheck, self.alarms.append, lambda: self.now_s)

    def open(self, announced: Sequence[ChampionAnnounced]) -> list[Opened]:
        self.opened += [one.manifest.version for one in announced]
        return [self.look_at(one.manifest.version) for one in announced]

    def look_at(self, version: str) -> Opened:
        if version in self.away:
            return ModelUnavailable("no such file")
        if version in self.bad:
            return ModelRefused("the hash differs")
        return FakeChampion(version)

    def recheck(self, model: PriceModel, announced: ChampionAnnounced) -> None:
        assert model.version == announced.manifest.version
        self.rechecked.append(model.version)
        if model.version in self.spoilt:
            raise ModelRefused("golden rows differ")

    def put(self, *messages: AnyModelMessage) -> Roster:
        self.shelf.put(messages)
        self.shelf.fill()
        return self.roster()

    def roster(self) -> Roster:
        return self.shelf.serving()[MARKET].roster


def champion(version: str) -> ChampionAnnounced:
    return messages.champion(manifest=messages.manifest(version=version))


def named(**aliases: str) -> list[AnyModelMessage]:
    return [messages.alias(alias=alias, version=version) for alias, version in aliases.items()]


def corrector(version: str, **changes: object) -> CorrectorAnnounced:
    numbers = (0.1,) * len(FEATURES)
    return messages.corrector(
        version=version,
        **{"feature_names": FEATURES, **dict.fromkeys(_NUMBERS, numbers), **changes},
    )


_NUMBERS = ("counts", "means", "variances", "weights")
THREE = (champion("v1"), champion("v2"), champion("v3"))
