"""Rows with their labels, by running the scorer's own step over the log.

No second code knows a feature: what is trained on is what was served. The step
runs without a champion, for features do not depend on one.
"""

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from offline import log
from offline.log import Head, Partition
from stream_app.contract import topics, wire
from stream_app.contract.predictions import Outcome
from stream_app.core.features import NAMES
from stream_app.stages import scorer, step
from stream_app.stages.step import Batch, Serving, Step


@dataclass(frozen=True)
class Dataset:
    """One row per sold home, in the order of the sales."""

    market: str
    rows: NDArray[np.float64]  # shape (n, features) as served; NaN is unknown
    log_price: NDArray[np.float64]  # of the sale
    naive_log: NDArray[np.float64]  # NaN: the region had no sale yet
    listed_ms: NDArray[np.int64]
    sold_ms: NDArray[np.int64]
    area_m2: NDArray[np.float64]
    region: NDArray[np.str_]
    property_type: NDArray[np.str_]
    listing_id: NDArray[np.str_]
    home_id: NDArray[np.str_]  # empty: the market does not publish it
    counts: dict[str, int]  # events by "kind:verdict": what was dropped, and why

    def take(self, chosen: NDArray[np.bool_]) -> "Dataset":
        """The rows where `chosen` is true."""
        columns = {name: getattr(self, name)[chosen] for name in _COLUMNS}
        return replace(self, **columns)

    def __len__(self) -> int:
        return len(self.log_price)


_COLUMNS = (
    "rows",
    "log_price",
    "naive_log",
    "listed_ms",
    "sold_ms",
    "area_m2",
    "region",
    "property_type",
    "listing_id",
    "home_id",
)


class Replay(Struct):
    """The scorer's step over one partition, with a dict for its state."""

    state: dict[str, bytes] = {}

    def advance(self, batch: Batch, serving: dict[str, Serving]) -> Step:
        """Run the step and keep what it changed."""
        done = scorer.advance(batch, self.state, serving)
        remember(self.state, done)
        return done

    def counts(self) -> dict[str, int]:
        control = step.read_control(self.state)
        return {} if control is None else control.counts


def remember(state: dict[str, bytes], done: Step) -> None:
    """Put a step's changed records into the state it came from."""
    for key, value in done.state.items():
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value


class Collector:
    """Gathers outcomes; the newest word on a sale holds."""

    def __init__(self, market: str) -> None:
        self.market = market
        self.outcomes: dict[tuple[str, str], Outcome] = {}
        self.homes: dict[str, str] = {}  # listing -> home, where it is known

    def see(self, heads: Iterable[Head]) -> None:
        self.homes.update((h.listing_id, h.home_id) for h in heads if h.home_id is not None)

    def take(self, done: Step) -> list[Outcome]:
        """Keep the step's outcomes of this market; give them."""
        found = [
            outcome
            for output in done.outputs
            if output.topic is topics.OUTCOMES and output.value is not None
            if (outcome := wire.decode_outcome(output.value)).market == self.market
        ]
        for outcome in found:
            self.outcomes[outcome.region, outcome.listing_id] = outcome
        return found

    def dataset(self, counts: dict[str, int]) -> Dataset:
        """All that was gathered."""
        return build(self.market, list(self.outcomes.values()), self.homes, counts)


def collect(
    partitions: Iterable[Partition],
    market: str,
    before_ms: int,
    progress: Callable[[int], None] = lambda events: None,
    look: Callable[[Step], None] = lambda done: None,
) -> Dataset:
    """Replay all that happened before `before_ms` and gather what was sold; `look` sees it all."""
    collector = Collector(market)
    counts: dict[str, int] = {}
    events = 0
    for partition in partitions:
        replay = Replay()
        wanted = log.batches(
            partition, lambda head: head.market == market and head.event_time_ms < before_ms
        )
        for batch, heads in wanted:
            collector.see(heads)
            done = replay.advance(batch, {})
            collector.take(done)
            look(done)
            events += len(heads)
            progress(events)
        for name, count in replay.counts().items():
            counts[name] = counts.get(name, 0) + count
    return collector.dataset(counts)


def build(
    market: str, outcomes: list[Outcome], homes: dict[str, str], counts: dict[str, int]
) -> Dataset:
    """Outcomes to columns, in the order of the sales."""
    outcomes = sorted(outcomes, key=lambda o: (o.sold_ms, o.listing_id))
    rows = np.array([o.features for o in outcomes], dtype=np.float64)
    naive = [o.components.naive_log for o in outcomes]
    return Dataset(
        market=market,
        rows=rows.reshape(len(outcomes), len(NAMES)),
        log_price=np.array([math.log(o.sale_price) for o in outcomes]),
        naive_log=np.array(naive, dtype=np.float64),
        listed_ms=np.array([o.listed_ms for o in outcomes], dtype=np.int64),
        sold_ms=np.array([o.sold_ms for o in outcomes], dtype=np.int64),
        area_m2=np.array([o.area_m2 for o in outcomes]),
        region=np.array([o.region for o in outcomes], dtype=np.str_),
        property_type=np.array([o.property_type for o in outcomes], dtype=np.str_),
        listing_id=np.array([o.listing_id for o in outcomes], dtype=np.str_),
        home_id=np.array([homes.get(o.listing_id, "") for o in outcomes], dtype=np.str_),
        counts=dict(sorted(counts.items())),
    )


def sha256(dataset: Dataset) -> str:
    """Hash of what a model is made from: names, rows, labels and their times."""
    digest = hashlib.sha256("\n".join((dataset.market, *NAMES)).encode())
    for name in ("rows", "log_price", "listed_ms", "sold_ms"):
        digest.update(np.ascontiguousarray(getattr(dataset, name)).tobytes())
    digest.update("\n".join(dataset.listing_id).encode())
    return digest.hexdigest()
