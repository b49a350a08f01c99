"""`python -m offline preflight`: what a retrained model would have saved on the newest labels."""

import argparse
from collections.abc import Mapping, Sequence

from offline import announced, dataset, preflight, reference, served
from offline.dataset import Dataset
from offline.difference import Comparison
from offline.expected_shift import shifts
from offline.log import Partition
from offline.progress import say, told
from offline.replay import Change, Placed, Way, replay
from offline.settings import OfflineSettings
from offline.splits import NotEnough
from offline.train import Candidate, train
from offline.vault import Vault
from stream_app.contract.models import Alias, Handover
from stream_app.contract.settings import KafkaSettings
from stream_app.scoring.handover import handover
from stream_app.stages.lineups import Lineup

_EVER_MS = 2**53  # later than any event


def run(
    given: argparse.Namespace,
    kafka: KafkaSettings,
    own: OfflineSettings,
    partitions: Sequence[Partition],
) -> dict[str, object]:
    """Find the newest mature labels, train on what was before, serve them again.

    Raises
    ------
    NotEnough : too few mature labels, or too few homes before them
    WrongInput : who served is not to be had any more
    """
    market = given.market
    sold = dataset.collect(partitions, market, _EVER_MS, told())
    span = preflight.span(sold, given.labels)
    before = sold.take(sold.sold_ms < span.from_ms)
    say(f"training on {len(before):,} homes sold before the newest mature labels")
    retrained = train(before, own.seed, made_ms=0, say=say)
    lineups = served.by_partition(kafka, [p.number for p in partitions], Vault(own).open)
    comparison = Comparison(market)

    def begins(placed: Placed) -> bool:
        head = placed.line.head
        return head.market == market and head.event_time_ms >= span.from_ms

    for each in replay(
        partitions,
        Way(market, partitions, lineups),
        [None, Change(retrained.champion, handover=_handover(market, lineups, before, retrained))],
        begins,
        progress=told(),
    ):
        comparison.take(each.chunk, *each.outputs)
    judged = [s for s in comparison.sold if span.from_ms <= s.listed_ms <= span.to_ms]
    if not judged:
        raise NotEnough(f"{market}: no home of the newest labels was given a price when listed")
    return {
        "market": market,
        "champion": announced.read(kafka, market).aliases.get(Alias.CHAMPION),
        "listed_from_ms": span.from_ms,
        "listed_to_ms": span.to_ms,
        **preflight.saving(judged, span.to_ms)._asdict(),
    }


def _handover(
    market: str, lineups: Mapping[int, Sequence[Lineup]], trained_on: Dataset, made: Candidate
) -> Handover | None:
    """What a promotion over who serves now would tell."""
    newest = [found[-1].serving for found in lineups.values() if found]
    old = next((each[market].champion for each in newest if market in each), None)
    if old is None:
        return None
    shown = reference.table(trained_on, made.holdout, made.holdout_log)
    return handover(old.version, shifts(old, made.champion, shown))
