"""What would have been served, and how good it would have been.

The log is served in the order of events (market.py), by champions that are trained on
the way. Nothing is known early: a label counts when its sale is in the log. Judged is
what was *served at the listing*; judging at the sale would flatter.
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import numpy as np

from offline import coverage, criteria, dataset, metrics, reference
from offline.collector import Collector, Gathered
from offline.expected_shift import shifts
from offline.log import Partition
from offline.market import Market, cuts
from offline.splits import NotEnough
from offline.train import train
from stream_app.contract.predictions import Outcome, Step


class Plan(NamedTuple):
    """What to run."""

    market: str
    train_to_ms: int
    yearly: bool  # a new champion each 1 January
    version_delay: int  # batches that a corrector version waits before it serves
    seed: int


def run(
    partition: Partition,
    plan: Plan,
    say: Callable[[str], None],
    progress: Callable[[int], None] = lambda events: None,
) -> dict[str, object]:
    """Serve the log; figures of `naive`, `champion` and `answer`, overall, by year and by region.

    Raises
    ------
    NotEnough : too few homes were sold before `train_to_ms`, or nothing happened after it
    """
    champions, served = serve(partition, plan, say, progress)
    covered = coverage.judge(served, criteria.shipped())
    for line in () if covered is None else covered.lines():
        say(line)
    return _report(plan, champions, served) | {"coverage": msgspec.to_builtins(covered)}


def serve(
    partition: Partition, plan: Plan, say: Callable[[str], None], progress: Callable[[int], None]
) -> tuple[list[str], list[Outcome]]:
    """Serve the log; the champions' versions, and what was served after the first training.

    Raises
    ------
    NotEnough : too few homes were sold before `train_to_ms`, or nothing happened after it
    """
    market, collector = Market(plan.market, plan.version_delay), Collector(plan.market)
    served: dict[tuple[str, str], Outcome] = {}
    champions: list[str] = []
    events = span = 0
    for cut, now in cuts(partition, plan.market, lambda at_ms: _span(at_ms, plan)):
        if now > span:
            span = now
            gathered = collector.gathered(market.counts())
            champions.append(_succeed(market, gathered, _begins_ms(span, plan), plan, say))
        for outcome in collector.take(cut, market.advance(cut)):
            if outcome.step is Step.CHAMPION and outcome.listed_ms >= plan.train_to_ms:
                # A corrected sale price takes the place.
                served[outcome.region, outcome.listing_id] = outcome
        events += len(cut.heads)
        progress(events)
    if not champions:
        raise NotEnough(f"{plan.market}: nothing happened from {_day(plan.train_to_ms)} on")
    return champions, list(served.values())


def _succeed(
    market: Market, gathered: Gathered, now_ms: int, plan: Plan, say: Callable[[str], None]
) -> str:
    """Let a champion take over that is trained on what is sold by now; its version."""
    data = dataset.assemble(plan.market, [gathered])
    say(f"{_day(now_ms)}: training on {len(data):,} sold homes")
    made = train(data, plan.seed, made_ms=now_ms)
    shown = reference.table(data, made.holdout, made.holdout_log)
    old = market.champion
    market.succeed(made.champion, () if old is None else shifts(old, made.champion, shown))
    return made.champion.version


def _span(at_ms: int, plan: Plan) -> int:
    """0 before the first training; then 1, and with yearly training one more each year."""
    if at_ms < plan.train_to_ms:
        return 0
    return 1 + (_year(at_ms) - _year(plan.train_to_ms) if plan.yearly else 0)


def _begins_ms(span: int, plan: Plan) -> int:
    if span == 1:
        return plan.train_to_ms
    return int(datetime(_year(plan.train_to_ms) + span - 1, 1, 1, tzinfo=UTC).timestamp() * 1000)


def _year(at_ms: int) -> int:
    return datetime.fromtimestamp(at_ms / 1000, UTC).year


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def _report(plan: Plan, champions: list[str], served: list[Outcome]) -> dict[str, object]:
    years = sorted({_year(o.listed_ms) for o in served})
    regions = sorted({o.region for o in served})
    return {
        "market": plan.market,
        "train_to": _day(plan.train_to_ms),
        "retrain": "yearly" if plan.yearly else "never",
        "champions": champions,
        "overall": judge(served),
        "by_year": {
            str(year): judge([o for o in served if _year(o.listed_ms) == year]) for year in years
        },
        "by_region": {
            region: judge([o for o in served if o.region == region]) for region in regions
        },
    }


def judge(served: Sequence[Outcome]) -> dict[str, object]:
    """Figures of the naive price, the champion alone and the answer, on the same sales."""
    sale_price = np.array([o.sale_price for o in served])
    prices = {
        "naive": [_exp(o.components.naive_log) for o in served],
        "champion": [_exp(o.components.champion_log) for o in served],
        "answer": [math.nan if o.price is None else o.price for o in served],
    }
    inside = np.array([_inside(o) for o in served])
    return {
        name: msgspec.to_builtins(
            metrics.judge(np.array(price), sale_price, inside if name == "answer" else None)
        )
        for name, price in prices.items()
    }


def _exp(log_price: float | None) -> float:
    return math.nan if log_price is None else math.exp(log_price)


def _inside(outcome: Outcome) -> float:
    if outcome.price_low is None or outcome.price_high is None:
        return math.nan
    return float(outcome.price_low <= outcome.sale_price <= outcome.price_high)
