"""What would have been served, and how good it would have been.

The scorer's step runs over the log in the order of events; its outcomes, when the
sales come, feed the learner's step; versions that it announces serve from the next
batch on. Nothing is known early: a label counts when its sale is in the log.
Judged is what was *served at the listing*; judging at the sale would flatter.

Not here: Kafka, partitions and workers. One partition holds all, so outcomes come
in the order of events, which is one of the orders that a real log could give.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import numpy as np

from offline import coverage, dataset, log, metrics
from offline.collector import Collector
from offline.dataset import Replay
from offline.learning import Learning
from offline.log import Cut, Partition
from offline.train import train
from stream_app.contract import topics
from stream_app.contract.models import CorrectorAnnounced, Policy
from stream_app.contract.predictions import Outcome, Step
from stream_app.scoring.champion import Champion
from stream_app.stages.step import Serving


class Plan(NamedTuple):
    """What to run."""

    market: str
    train_to_ms: int
    yearly: bool  # a new champion each 1 January
    version_delay: int  # batches that a corrector version waits before it serves
    seed: int


class Market:
    """A market as it is served: scorer, learner, and the models between them."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._say = say
        self._scorer = Replay({})
        self._learning = Learning()
        self._champion: Champion | None = None
        self._corrector: CorrectorAnnounced | None = None
        self._waiting: deque[CorrectorAnnounced | None] = deque([None] * (plan.version_delay + 1))
        self._collector = Collector(plan.market)
        self.champions: list[str] = []

    def train(self, now_ms: int) -> None:
        """Train on what is sold by now, and activate."""
        gathered = self._collector.gathered(self._scorer.counts())
        data = dataset.assemble(self._plan.market, [gathered])
        self._say(f"{_day(now_ms)}: training on {len(data):,} sold homes")
        self._champion = train(data, self._plan.seed, made_ms=now_ms).champion
        self.champions.append(self._champion.version)

    def advance(self, cut: Cut) -> list[Outcome]:
        """Serve a batch, then learn from its outcomes."""
        self._corrector = self._waiting.popleft() or self._corrector
        policy = cut.policies.get(self._plan.market, Policy())
        serving = Serving(self._champion, self._corrector, policy=policy)
        done = self._scorer.advance(cut.batch, {self._plan.market: serving})
        values = [o.value for o in done.outputs if o.topic is topics.OUTCOMES]
        self._waiting.append(self._learning.learn(values))
        return self._collector.take(cut, done)


def run(
    partition: Partition,
    plan: Plan,
    say: Callable[[str], None],
    progress: Callable[[int], None] = lambda events: None,
) -> dict[str, object]:
    """Serve the log; figures of `naive`, `champion` and `answer`, overall, by year and by region.

    Raises
    ------
    NotEnough : too few homes were sold before `train_to_ms`
    """
    champions, served = serve(partition, plan, say, progress)
    covered = coverage.judge(served)
    for line in () if covered is None else covered.lines():
        say(line)
    return _report(plan, champions, served) | {"coverage": msgspec.to_builtins(covered)}


def serve(
    partition: Partition, plan: Plan, say: Callable[[str], None], progress: Callable[[int], None]
) -> tuple[list[str], list[Outcome]]:
    """Serve the log; the champions' versions, and what was served after the first training.

    Raises
    ------
    NotEnough : too few homes were sold before `train_to_ms`
    """
    market = Market(plan, say)
    served: dict[str, Outcome] = {}
    events = 0
    for cut, began_ms in _batches(partition, plan):
        if began_ms is not None:
            market.train(began_ms)
        for outcome in market.advance(cut):
            if outcome.step is Step.CHAMPION and outcome.listed_ms >= plan.train_to_ms:
                served[outcome.listing_id] = outcome  # a corrected sale price takes the place
        events += len(cut.heads)
        progress(events)
    return market.champions, list(served.values())


def _batches(partition: Partition, plan: Plan) -> Iterator[tuple[Cut, int | None]]:
    """Batches, each within one span between trainings; with the first comes where it began."""
    span = 0
    found = log.batches(
        partition,
        wanted=lambda head: head.market == plan.market,
        boundary=lambda head: _span(head.event_time_ms, plan),
    )
    for cut in found:
        now = max(span, _span(cut.heads[0].event_time_ms, plan))
        yield cut, _begins_ms(now, plan) if now > span else None
        span = now


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
