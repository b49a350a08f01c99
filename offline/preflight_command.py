"""`python -m offline preflight`: what a retrained model would have saved on the newest labels."""

import argparse
from collections.abc import Sequence

from offline import announced, dataset, preflight, served
from offline.difference import Comparison
from offline.log import Partition
from offline.progress import say, told
from offline.replay import Change, Placed, Way, replay
from offline.settings import OfflineSettings
from offline.splits import NotEnough
from offline.train import train
from offline.vault import Vault
from stream_app.contract.models import Alias
from stream_app.contract.settings import KafkaSettings

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
    retrained = train(before, own.seed, made_ms=0, say=say).champion
    lineups = served.by_partition(kafka, [p.number for p in partitions], Vault(own).open)
    comparison = Comparison(market)

    def begins(placed: Placed) -> bool:
        head = placed.line.head
        return head.market == market and head.event_time_ms >= span.from_ms

    for each in replay(
        partitions,
        Way(market, partitions, lineups),
        [None, Change(retrained)],
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
