"""What was announced so far, and what serves because of it. No I/O but what it is given.

The models of the three aliases stay open, so that a roll back, which lets two aliases
change places, waits for no file and no check but the golden rows. Opening takes
seconds: whoever follows the log passes messages on with `put`, which swaps what is open
at once, and calls `fill` elsewhere for what is not.

A version that is refused is not tried again until it is announced anew. A champion that
is refused leaves the old one serving: after a restart that is the previous one. A
previous one or a challenger that is refused is not there.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from stream_app.contract.models import (
    Alias,
    AliasSet,
    AnyModelMessage,
    ChampionAnnounced,
    CorrectorAnnounced,
    RolloutSet,
)
from stream_app.contract.rejects import ModelRefused
from stream_app.scoring import corrector
from stream_app.stages.step import PriceModel, Serving

_log = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """A version that will not serve."""

    market: str
    kind: str  # champion (whatever alias names it) or corrector
    version: str
    reason: str
    serves: str | None  # the version that goes on


# Opens models, at best several at a time: for each the model, or why not.
Open = Callable[[Sequence[ChampionAnnounced]], Sequence[PriceModel | ModelRefused]]
# Looks once more at one that is open, before it becomes the champion. Raises ModelRefused.
Recheck = Callable[[PriceModel, ChampionAnnounced], None]


class _Market(msgspec.Struct):
    announced: dict[str, ChampionAnnounced] = {}  # version ->
    aliases: dict[str, str] = {}  # alias -> version
    opened: dict[str, PriceModel] = {}  # version ->
    refused: set[str] = set()  # versions
    serving: Serving = Serving()


class Shelf:
    """The models of all markets. `put` and `fill` may be called by two threads."""

    def __init__(self, open_: Open, recheck: Recheck, alarm: Callable[[Refusal], None]) -> None:
        self._open = open_
        self._recheck = recheck
        self._alarm = alarm
        self._lock = threading.Lock()
        self._markets: dict[str, _Market] = {}
        self._serving: Mapping[str, Serving] = {}
        self._untold: list[tuple[str, str, str]] = []  # market, champion, why it was refused

    def serving(self) -> Mapping[str, Serving]:
        """A snapshot that nobody changes any more."""
        return self._serving

    def unserved(self) -> list[str]:
        """Markets for which a champion is named while none serves. Any thread may ask."""
        return [
            name
            for name, market in list(self._markets.items())
            if Alias.CHAMPION in market.aliases and market.serving.champion is None
        ]

    def put(self, messages: Sequence[AnyModelMessage]) -> None:
        """Take messages in, in log order; let what is open already serve by them."""
        with self._lock:
            refused = [self._note(message) for message in messages]
            # Of many old versions that do not fit any more, only the last one matters.
            for refusal in {one.market: one for one in refused if one is not None}.values():
                self._alarm(refusal)
            self._swap()
            self._tell()

    def fill(self) -> None:
        """Open what an alias names and is not open yet."""
        while missing := self._missing():
            found = self._open(missing)
            with self._lock:
                for announced, model in zip(missing, found, strict=True):
                    self._keep(announced, model)
                self._swap()
                self._tell()

    def _note(self, message: AnyModelMessage) -> Refusal | None:
        name = message.manifest.market if isinstance(message, ChampionAnnounced) else message.market
        market = self._markets.setdefault(name, _Market())
        match message:
            case ChampionAnnounced():
                market.announced[message.manifest.version] = message
                market.refused.discard(message.manifest.version)
            case CorrectorAnnounced():
                return _correct(market, message)
            case AliasSet():
                market.aliases[message.alias] = message.version
            case RolloutSet():
                market.serving = market.serving._replace(mode=message.mode, share=message.share)
        return None

    def _missing(self) -> list[ChampionAnnounced]:
        with self._lock:
            return [
                market.announced[version]
                for market in self._markets.values()
                for version in dict.fromkeys(market.aliases.get(alias, "") for alias in Alias)
                if version in market.announced
                and version not in market.opened
                and version not in market.refused
            ]

    def _keep(self, announced: ChampionAnnounced, model: PriceModel | ModelRefused) -> None:
        market, version = self._markets[announced.manifest.market], announced.manifest.version
        if market.announced[version] is not announced:
            return  # announced anew meanwhile: it is opened again
        if isinstance(model, ModelRefused):
            self._refuse(market, announced, model)
        else:
            market.opened[version] = model

    def _refuse(self, market: _Market, announced: ChampionAnnounced, error: ModelRefused) -> None:
        name, version = announced.manifest.market, announced.manifest.version
        market.refused.add(version)
        market.opened.pop(version, None)
        _log.error("champion refused, the old one stays: %s", error)
        self._untold.append((name, version, str(error)))

    def _tell(self) -> None:
        """Raise the alarm for what was refused, now that it is known who goes on."""
        for name, version, reason in self._untold:
            serves = self._markets[name].serving.champion
            going_on = None if serves is None else serves.version
            self._alarm(Refusal(name, "champion", version, reason, going_on))
        self._untold.clear()

    def _swap(self) -> None:
        for market in self._markets.values():
            champion = self._champion(market)
            named = {alias: market.opened.get(market.aliases.get(alias, "")) for alias in Alias}
            market.serving = market.serving._replace(
                champion=champion,
                previous=named[Alias.PREVIOUS],
                challenger=named[Alias.CHALLENGER],
            )
            wanted = set(market.aliases.values()) | {champion.version if champion else None}
            market.opened = {v: model for v, model in market.opened.items() if v in wanted}
        self._serving = {name: market.serving for name, market in self._markets.items()}

    def _champion(self, market: _Market) -> PriceModel | None:
        """The model that the alias names if it may serve, else the one that does.

        After a restart none does: the previous champion is then the old one.
        """
        now = market.serving.champion
        if Alias.CHAMPION not in market.aliases:
            return now
        for alias in (Alias.CHAMPION,) if now else (Alias.CHAMPION, Alias.PREVIOUS):
            wanted = market.opened.get(market.aliases.get(alias, ""))
            if wanted is not None and (wanted is now or self._sound(market, wanted)):
                return wanted
        return now

    def _sound(self, market: _Market, model: PriceModel) -> bool:
        """Look once more at a model before it becomes the champion."""
        announced = market.announced[model.version]
        try:
            self._recheck(model, announced)
        except ModelRefused as error:
            self._refuse(market, announced, error)
            return False
        named = {"market": announced.manifest.market, "version": model.version}
        _log.info("champion serves", extra=named)
        return True


def _correct(market: _Market, announced: CorrectorAnnounced) -> Refusal | None:
    """Let a corrector serve if this program can use it: a step that cannot ends every worker."""
    try:
        corrector.frozen_market(announced)
    except ValueError as error:
        _log.error("corrector refused, the old one stays: %s", error)
        now = market.serving.corrector
        going_on = None if now is None else now.version
        return Refusal(announced.market, "corrector", announced.version, str(error), going_on)
    market.serving = market.serving._replace(corrector=announced)
    return None
