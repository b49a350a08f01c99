"""What the gate judges by: one log, served with the champion and with the challenger.

Until the holdout begins they are one market. The champion serves it as soon as it can answer
what it has not seen (gate_contest.py), so that corrector, guard and interval are what they
would be in service. Where the holdout begins the market forks. One goes on with the champion;
in the other the challenger takes its place and inherits the corrector, as at any promotion. So
a challenger bears what its swap costs, and each label, late as it is, reaches both at once.

Judged are homes that were listed after the fork and that both answered. A home that was
on offer before (where the market says which home it is) is left out.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from offline import log
from offline.expected_shift import shifts
from offline.faults import NotRegistered, WrongInput
from offline.gate import Evidence
from offline.gate_contest import contest
from offline.log import BATCH_MAX, Cut, Head, Partition
from offline.market import Market, cuts
from offline.registry import Registry
from offline.settings import OfflineSettings
from offline.vault import Vault
from stream_app.contract import topics, wire
from stream_app.contract.models import Alias, ChampionAnnounced, SegmentShift
from stream_app.contract.predictions import Outcome, Step
from stream_app.contract.rejects import ModelRefused
from stream_app.scoring import checks
from stream_app.scoring.champion import Champion
from stream_app.stages.step import PriceModel

_WARM, _HOLDOUT = 1, 2  # spans of the log; before, nobody serves
_TIMED_ROWS = 4 * BATCH_MAX
_TIMED_ROUNDS = 5


class NotOpened(WrongInput):
    """A model that the gate has to serve is refused, or is not in the store."""


class Fight(NamedTuple):
    """The models, when the champion begins to serve, and when the holdout begins."""

    challenger: Champion
    champion: Champion | None
    warm_ms: int
    from_ms: int
    shift: tuple[SegmentShift, ...] = ()  # what the promotion would announce

    def span(self, at_ms: int) -> int:
        """Which part of the log an event belongs to."""
        return (at_ms >= self.warm_ms) + (at_ms >= self.from_ms)


class Answers(NamedTuple):
    """What was served of the holdout and sold: the same homes in the same order."""

    before: Sequence[Outcome]  # with the champion; empty without one
    after: Sequence[Outcome]  # with the challenger


class Question(NamedTuple):
    """What is asked."""

    market: str
    version: str | None  # None: the challenger
    delay_ms: int  # from when a sale is made to when it is known


def gather(
    partition: Partition,
    asked: Question,
    settings: OfflineSettings,
    say: Callable[[str], None],
    progress: Callable[[int], None],
) -> Evidence:
    """Serve the log with both models, and note what else is known of the version.

    Raises
    ------
    NotRegistered : no such version, or its fit without the holdout was not kept
    NotOpened : the champion, or a fit without its holdout, is refused or not there
    """
    versions = Registry(settings, asked.market)
    version = asked.version or versions.challenger()
    champion, announced = versions.alias(Alias.CHAMPION), versions.announcement(version)
    chosen = contest(versions.judged(version), *_standing(versions, champion), asked.delay_ms)
    say(chosen.told(version, champion))
    old = None if chosen.champion is None else _need(versions.vault, chosen.champion)
    new = _need(versions.vault, chosen.challenger)
    sample = versions.vault.reference(announced)
    told = () if old is None or sample is None else shifts(old, new, sample)
    fight = Fight(new, old, chosen.warm_ms, chosen.from_ms, told)
    late = log.with_late_sales(partition, asked.delay_ms, redated=True)
    answers = serve(late, asked.market, fight, progress)
    final = _open(versions.vault, announced)
    return Evidence(
        market=asked.market,
        version=version,
        champion=champion,
        holdout_from_ms=chosen.from_ms,
        before=answers.before,
        after=answers.after,
        slower=slower(final, old, answers.after),
        bundle_bytes=announced.manifest.bundle_bytes,
        refused=final if isinstance(final, str) else None,
        held=versions.standing(version).held,
    )


def _open(vault: Vault, announced: ChampionAnnounced) -> Champion | str:
    """The model, after all checks of an activation; or why a scorer would refuse it."""
    try:
        return vault.open(announced)
    except ModelRefused as error:
        return str(error)


def _need(vault: Vault, announced: ChampionAnnounced) -> Champion:
    found = _open(vault, announced)
    if isinstance(found, str):
        raise NotOpened(f"cannot be judged: {found}")
    return found


def _standing(
    versions: Registry, champion: str | None
) -> tuple[ChampionAnnounced | None, ChampionAnnounced | None]:
    """What was announced of the champion, and its fit without its holdout."""
    if champion is None:
        return None, None
    try:
        return versions.announcement(champion), versions.judged(champion)
    except NotRegistered:
        return versions.announcement(champion), None


def serve(
    partition: Partition, market: str, fight: Fight, progress: Callable[[int], None]
) -> Answers:
    """Serve the log: one market until the holdout begins, two from there on."""
    before, after = _Side(Market(market), fight.from_ms), None
    homes = _Homes(fight.from_ms)
    events = 0
    for cut, span in cuts(partition, market, fight.span):
        if span >= _WARM:
            before.market.champion = fight.champion
        if span == _HOLDOUT and after is None:
            after = _Side(before.market.fork(), fight.from_ms)
            after.market.succeed(fight.challenger, fight.shift)
        homes.see(cut.heads)
        for side in (before, after):
            if side is not None:
                side.advance(cut)
        events += len(cut.heads)
        progress(events)
    return _paired(before, after, homes, naive=fight.champion is None)


class _Side:
    """A market, and the newest word on each home of the holdout that its model answered."""

    def __init__(self, market: Market, from_ms: int) -> None:
        self.market = market
        self.sold: dict[tuple[str, str], Outcome] = {}
        self._from_ms = from_ms

    def advance(self, cut: Cut) -> None:
        for output in self.market.advance(cut).outputs:
            if output.topic is topics.OUTCOMES:
                outcome = wire.decode_outcome(output.value or b"")
                if outcome.step is Step.CHAMPION and outcome.listed_ms >= self._from_ms:
                    self.sold[outcome.region, outcome.listing_id] = outcome


class _Homes:
    """Which homes were on offer before the holdout, where the market says which home it is."""

    def __init__(self, from_ms: int) -> None:
        self._from_ms = from_ms
        self._old: set[str] = set()
        self._of_listing: dict[tuple[str, str], str] = {}  # region and listing -> home

    def see(self, heads: Iterable[Head]) -> None:
        for head in heads:
            if head.home_id is not None and head.event_time_ms < self._from_ms:
                self._old.add(head.home_id)
            elif head.home_id is not None:
                self._of_listing[head.region, head.listing_id] = head.home_id

    def is_new(self, listing: tuple[str, str]) -> bool:
        return self._of_listing.get(listing) not in self._old


def _paired(before: _Side, after: _Side | None, homes: _Homes, *, naive: bool) -> Answers:
    """Homes that both sides answered; without a champion, those that have a naive price."""
    sold = {} if after is None else after.sold
    new = {key: o for key, o in sold.items() if homes.is_new(key)}
    if naive:
        return Answers([], [o for o in new.values() if o.components.naive_log is not None])
    both = [key for key in new if key in before.sold]
    return Answers([before.sold[key] for key in both], [new[key] for key in both])


def slower(
    challenger: PriceModel | str, champion: PriceModel | None, served: Sequence[Outcome]
) -> float | None:
    """A challenger's time per row as a multiple of the champion's; None: not to be compared."""
    if isinstance(challenger, str) or champion is None or not served:
        return None
    rows = checks.matrix([o.features for o in served[:_TIMED_ROWS]])
    # In turns, and the least of each: whatever else the machine does hits both.
    times = [(_cpu_s(challenger, rows), _cpu_s(champion, rows)) for _ in range(_TIMED_ROUNDS)]
    new_s, old_s = min(new for new, _ in times), min(old for _, old in times)
    return new_s / old_s


def _cpu_s(model: PriceModel, rows: NDArray[np.float64]) -> float:
    began_s = time.process_time()
    for first in range(0, len(rows), BATCH_MAX):
        model.predict_log(rows[first : first + BATCH_MAX])
    return time.process_time() - began_s
