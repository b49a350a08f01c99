"""What was announced so far, and what serves because of it. No I/O but what it is given.

The models of the three aliases stay open, so that a roll back, which lets two aliases
change places, waits for no file and no check but the golden rows. Opening takes
seconds: whoever follows the log passes messages on with `put`, which swaps what is open
at once, and calls `fill` elsewhere for what is not.

A version that is refused is not tried again until it is announced anew. One that could not
be looked at just now (no file yet, a machine too busy) says nothing of itself: it is tried
again after pauses that grow, and refused in the end. Until then, and for ever when it is
refused, a champion leaves the old one serving: after a restart that is the previous one, or,
if that cannot be had either, the one that served last. A previous one or a challenger that
cannot be opened is not there.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from stream_app.contract.models import (
    Alias,
    AliasSet,
    AnyModelMessage,
    ChampionAnnounced,
    CorrectorAnnounced,
    Handover,
    RolloutSet,
)
from stream_app.contract.rejects import ModelNotOpened, ModelRefused, ModelUnavailable
from stream_app.scoring import corrector
from stream_app.scoring.handover import handover
from stream_app.stages.step import PriceModel, Serving

# A copy is under way, or a machine busy, for seconds or minutes. The pauses between ten tries,
# 1, 2, 4 ... 32, then 60 s, are four minutes, to which comes what each try takes.
TRIES = 10
PAUSE_S = 1.0
PAUSE_MAX_S = 60.0
_log = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """A version that will not serve, or not yet."""

    market: str
    kind: str  # champion (whatever alias names it) or corrector
    version: str
    reason: str
    serves: str | None = None  # the version that goes on
    again: bool = False  # it is tried again


Opened = PriceModel | ModelNotOpened
# Opens models, at best several at a time: for each the model, or why not.
Open = Callable[[Sequence[ChampionAnnounced]], Sequence[Opened]]
# Looks once more at one that is open, before it becomes the champion. Raises ModelRefused.
Recheck = Callable[[PriceModel, ChampionAnnounced], None]


class _Wait(NamedTuple):
    """Until a model is tried again."""

    tries: int  # that came to nothing
    due_s: float


class _Market(msgspec.Struct):
    announced: dict[str, ChampionAnnounced] = {}  # version ->
    aliases: dict[str, str] = {}  # alias -> version
    served_last: str = ""  # version, by what was told of a time before this process
    opened: dict[str, PriceModel] = {}  # version ->
    refused: set[str] = set()  # versions
    waits: dict[str, _Wait] = {}  # version ->
    handover: Handover | None = None  # told with the alias of the champion
    serving: Serving = Serving()

    def wanted(self) -> list[str]:
        """The versions that should be open, the most urgent one first."""
        named = [self.aliases.get(alias, "") for alias in Alias]
        if self.serving.champion is None:
            named.append(self.served_last)
        return list(dict.fromkeys(named))


class Shelf:
    """The models of all markets. `put` and `fill` may be called by two threads.

    The alarm is raised outside of the lock, so that a roll back never waits for its delivery.
    """

    def __init__(
        self,
        open_: Open,
        recheck: Recheck,
        alarm: Callable[[Refusal], None],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open = open_
        self._recheck = recheck
        self._alarm = alarm
        self._now_s = now_s
        self._lock = threading.Lock()
        self._markets: dict[str, _Market] = {}
        self._serving: Mapping[str, Serving] = {}
        self._untold: list[Refusal] = []

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
            for message in messages:
                self._note(message)
            told = self._swap()
        self._tell(told)

    def remember(self, served_last: Mapping[str, str]) -> None:
        """Name for markets the champion to go on with where neither alias leads to one."""
        with self._lock:
            for name, version in served_last.items():
                self._markets.setdefault(name, _Market()).served_last = version

    def fill(self) -> float | None:
        """Open what is wanted and not open yet.

        Give the seconds until something is to be tried again; None: nothing is.
        """
        while missing := self._missing():
            found = self._open(missing)
            with self._lock:
                for announced, opened in zip(missing, found, strict=True):
                    self._keep(announced, opened)
                told = self._swap()
            self._tell(told)
        return self._pause_s()

    def _note(self, message: AnyModelMessage) -> None:
        name = message.manifest.market if isinstance(message, ChampionAnnounced) else message.market
        market = self._markets.setdefault(name, _Market())
        match message:
            case ChampionAnnounced():
                version = message.manifest.version
                market.announced[version] = message
                market.refused.discard(version)
                market.waits.pop(version, None)
            case CorrectorAnnounced():
                self._correct(market, message)
            case AliasSet():
                market.aliases[message.alias] = message.version
                if message.alias == Alias.CHAMPION:
                    market.handover = handover(message.replaces, message.expected_shift)
            case RolloutSet():
                market.serving = market.serving._replace(mode=message.mode, share=message.share)

    def _missing(self) -> list[ChampionAnnounced]:
        with self._lock:
            now_s = self._now_s()
            return [
                market.announced[version]
                for market in self._markets.values()
                for version in market.wanted()
                if version in market.announced
                and version not in market.opened
                and version not in market.refused
                and (version not in market.waits or market.waits[version].due_s <= now_s)
            ]

    def _pause_s(self) -> float | None:
        with self._lock:
            due_s = [wait.due_s for m in self._markets.values() for wait in m.waits.values()]
            return max(0.0, min(due_s) - self._now_s()) if due_s else None

    def _keep(self, announced: ChampionAnnounced, opened: Opened) -> None:
        market, version = self._markets[announced.manifest.market], announced.manifest.version
        if market.announced[version] is not announced:
            return  # announced anew meanwhile: it is opened again
        if isinstance(opened, ModelUnavailable):
            self._put_off(market, announced, opened)
        elif isinstance(opened, ModelNotOpened):
            self._refuse(market, announced, opened)
        else:
            market.opened[version] = opened
            market.waits.pop(version, None)

    def _put_off(
        self, market: _Market, announced: ChampionAnnounced, error: ModelUnavailable
    ) -> None:
        """Try it again later, but not for ever."""
        name, version = announced.manifest.market, announced.manifest.version
        before = market.waits.get(version)
        tries = 1 if before is None else before.tries + 1
        if tries == TRIES:
            self._refuse(market, announced, error)
            return
        pause_s = min(PAUSE_MAX_S, PAUSE_S * 2 ** (tries - 1))
        market.waits[version] = _Wait(tries, self._now_s() + pause_s)
        _log.warning("champion not opened, tried again in %g s: %s", pause_s, error)
        if tries == 1:
            self._untold.append(Refusal(name, "champion", version, str(error), again=True))

    def _refuse(self, market: _Market, announced: ChampionAnnounced, error: ModelNotOpened) -> None:
        name, version = announced.manifest.market, announced.manifest.version
        market.refused.add(version)
        market.opened.pop(version, None)
        market.waits.pop(version, None)
        _log.error("champion refused, the old one stays: %s", error)
        self._untold.append(Refusal(name, "champion", version, str(error)))

    def _correct(self, market: _Market, announced: CorrectorAnnounced) -> None:
        """Let a corrector serve if this program can use it: a step that cannot ends every worker."""
        try:
            corrector.frozen_market(announced)
        except ValueError as error:
            _log.error("corrector refused, the old one stays: %s", error)
            name, version = announced.market, announced.version
            # Of many old versions that do not fit any more, only the last one matters.
            others = [t for t in self._untold if (t.market, t.kind) != (name, "corrector")]
            self._untold = [*others, Refusal(name, "corrector", version, str(error))]
        else:
            market.serving = market.serving._replace(corrector=announced)

    def _swap(self) -> list[Refusal]:
        """Let serve what should and can; give what is to be told of what cannot."""
        for market in self._markets.values():
            champion = self._champion(market)
            named = {alias: market.opened.get(market.aliases.get(alias, "")) for alias in Alias}
            named_serves = champion is not None and champion is named[Alias.CHAMPION]
            market.serving = market.serving._replace(
                champion=champion,
                handover=market.handover if named_serves else None,
                previous=named[Alias.PREVIOUS],
                challenger=named[Alias.CHALLENGER],
            )
            wanted = {*market.wanted(), champion.version if champion else ""}
            market.opened = {v: model for v, model in market.opened.items() if v in wanted}
            market.waits = {v: wait for v, wait in market.waits.items() if v in wanted}
        self._serving = {name: market.serving for name, market in self._markets.items()}
        told, self._untold = [self._with_who_goes_on(one) for one in self._untold], []
        return told

    def _with_who_goes_on(self, refusal: Refusal) -> Refusal:
        serving = self._serving[refusal.market]
        goes_on = serving.corrector if refusal.kind == "corrector" else serving.champion
        return refusal._replace(serves=None if goes_on is None else goes_on.version)

    def _tell(self, refusals: Sequence[Refusal]) -> None:
        for refusal in refusals:
            self._alarm(refusal)

    def _champion(self, market: _Market) -> PriceModel | None:
        """The model that the alias names if it may serve, else the one that does.

        After a restart none does: then the previous champion is the old one, or the last.
        """
        now, named = market.serving.champion, market.aliases
        if Alias.CHAMPION not in named:
            return now
        old = () if now else (named.get(Alias.PREVIOUS, ""), market.served_last)
        for version in (named[Alias.CHAMPION], *old):
            wanted = market.opened.get(version)
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
