"""Which models served a partition from which offset on, from what was written down of it.

A partition's activations say what changed and where, `housing.models` what each version
is. With both, any range of the log replays with the models it was served with. No I/O
but `load`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

from stream_app.contract.models import (
    Activated,
    AnyModelMessage,
    ChampionAnnounced,
    CorrectorAnnounced,
)
from stream_app.stages.step import PriceModel, Record, Serving

Load = Callable[[ChampionAnnounced], PriceModel]
V = TypeVar("V")


class NotAnnounced(LookupError):
    """An activation names a version that nobody announced."""


class Lineup(NamedTuple):
    """What served from an offset on, until that of the next one."""

    from_offset: int
    serving: Mapping[str, Serving]  # by market


def lineups(
    activations: Iterable[Activated], models: Iterable[AnyModelMessage], load: Load | None
) -> list[Lineup]:
    """Put together what served a partition, offsets rising.

    Parameters
    ----------
    activations : committed records of one partition of `activations`, in log order
    models : the records of `models`
    load : opens a champion, once each; None leaves champions out

    Raises
    ------
    NotAnnounced : an activation names a version that is not among the models
    ModelNotOpened : a champion that served cannot be opened
    """
    announced = list(models)
    champions = {
        (one.manifest.market, one.manifest.version): one
        for one in announced
        if isinstance(one, ChampionAnnounced)
    }
    correctors = {
        (one.market, one.version): one for one in announced if isinstance(one, CorrectorAnnounced)
    }

    @cache
    def opened(market: str, version: str | None) -> PriceModel | None:
        if load is None or version is None:
            return None
        return load(_found(champions, market, version))

    found: list[Lineup] = []
    serving: dict[str, Serving] = {}
    for change in activations:
        market = change.market
        corrector = change.corrector
        serving[market] = Serving(
            champion=opened(market, change.champion),
            corrector=None if corrector is None else _found(correctors, market, corrector),
            previous=opened(market, change.previous),
            challenger=opened(market, change.challenger),
            mode=change.mode,
            share=change.share,
            policy=change.policy,
            overload=change.overload,
            handover=change.handover,
        )
        if found and found[-1].from_offset == change.from_offset:
            found.pop()
        found.append(Lineup(change.from_offset, dict(serving)))
    return found


def segments(
    records: Iterable[Record], found: Sequence[Lineup]
) -> Iterator[tuple[Mapping[str, Serving], list[Record]]]:
    """Cut a partition's records, offsets rising, where what serves it changed."""
    coming = list(reversed(found))
    serving: Mapping[str, Serving] = {}
    piece: list[Record] = []
    for record in records:
        while coming and coming[-1].from_offset <= record.offset:
            if piece:
                yield serving, piece
            piece, serving = [], coming.pop().serving
        piece.append(record)
    if piece:
        yield serving, piece


def _found(announced: Mapping[tuple[str, str], V], market: str, version: str) -> V:
    try:
        return announced[market, version]
    except KeyError:
        raise NotAnnounced(f"{market}: version {version!r} is not on the topic of models") from None
