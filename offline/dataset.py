"""Rows with their labels, by running the scorer's own step over the log.

No second code knows a feature: what is trained on is what was served. The step
runs without a champion, for features do not depend on one, and with the policies
that were active.

Each partition is replayed for itself, several in processes of their own; what comes
of it is the same. Of a partition one batch, the step's state and the rows so far are
held (collector.py): what bounds a replay's memory is what bounds a worker's.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from offline import activated, log, parallel
from offline.collector import (
    EXAMPLES_PER_RULE,
    NUMBERS,
    TEXTS,
    Collector,
    Gathered,
    Read,
    Reading,
)
from offline.log import Head, Partition
from stream_app.contract.events import Correction, Sale, kind_of_type
from stream_app.contract.markets import MARKETS
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
    source: NDArray[np.str_]  # who reported the sale
    partition: NDArray[np.int64]  # of `housing.events`; of a file: 0
    listing_offset: NDArray[np.int64]
    sale_offset: NDArray[np.int64]  # of the sale, or of what corrected it
    counts: dict[str, int]  # events by "kind:verdict": what was dropped, and why (accounts.py)
    examples: dict[str, list[str]] = field(default_factory=dict)  # of what a rule refused
    read: tuple[Read, ...] = ()  # by partition

    def take(self, chosen: NDArray[np.bool_]) -> "Dataset":
        """The rows where `chosen` is true."""
        columns = {name: getattr(self, name)[chosen] for name in _COLUMNS}
        return replace(self, **columns)

    def __len__(self) -> int:
        return len(self.log_price)


_COLUMNS = ("rows", *NUMBERS, *TEXTS)
_LABELS = frozenset(map(kind_of_type, (Sale, Correction)))


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


class Choice(Struct, frozen=True):
    """Which events of the log count."""

    market: str
    before_ms: int  # what happened later is not known
    without_sources: frozenset[str] = frozenset()

    def refusal(self, head: Head) -> str | None:
        """Why an event does not count; None: it does.

        What names no market that there is counts, too: it is for the step to refuse it.
        """
        if head.market != self.market and head.market in MARKETS:
            return "log:other_market"
        if head.event_time_ms >= self.before_ms:
            return "log:later"
        if head.source in self.without_sources and head.kind in _LABELS:
            return "log:source_left_out"
        return None


def collect(
    partitions: Sequence[Partition],
    market: str,
    before_ms: int,
    progress: Callable[[int], None] = lambda events: None,
    processes: int = 1,
    without_sources: Iterable[str] = (),
) -> Dataset:
    """Replay what happened before `before_ms` and gather what was sold.

    Parameters
    ----------
    progress : hears how many events were read, of all partitions
    without_sources : whose sales and corrections count as not sent

    Raises
    ------
    LogUnreadable : a partition cannot be read
    """
    choice = Choice(market, before_ms, frozenset(without_sources))
    gather = partial(gather_partition, choice)
    return assemble(market, parallel.each(gather, partitions, processes, progress))


def gather_partition(
    choice: Choice, partition: Partition, progress: Callable[[int], None]
) -> Gathered:
    """Replay one partition."""
    left: Counter[str] = Counter()

    def wanted(head: Head) -> bool:
        refusal = choice.refusal(head)
        if refusal is not None:
            left[refusal] += 1
        return refusal is None

    reading, replay = Reading(partition), Replay()
    collector = Collector(choice.market, partition.number)
    for cut in log.batches(partition._replace(lines=reading.lines()), wanted):
        collector.take(cut, replay.advance(cut.batch, activated.serving(cut.policies)))
        collector.forget(replay.state)
        progress(reading.records)
    return collector.gathered(replay.counts() | left, reading.done())


def assemble(market: str, parts: Sequence[Gathered]) -> Dataset:
    """What the partitions came to as one, in the order of the sales."""
    columns: dict[str, NDArray[Any]] = {
        "rows": np.concatenate([part.rows for part in parts]),
        **{name: np.concatenate([part.numbers[name] for part in parts]) for name in NUMBERS},
        **{
            name: np.array([text for part in parts for text in part.texts[name]], dtype=np.str_)
            for name in TEXTS
        },
    }
    order = np.lexsort((columns["region"], columns["listing_id"], columns["sold_ms"]))
    counts: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for part in parts:
        counts.update(part.counts)
        for code, found in part.examples.items():
            examples[code] = (examples.get(code, []) + found)[:EXAMPLES_PER_RULE]
    return Dataset(
        market=market,
        **{name: column[order] for name, column in columns.items()},
        counts=dict(sorted(counts.items())),
        examples=dict(sorted(examples.items())),
        read=tuple(part.read for part in parts if part.read is not None),
    )


def sha256(dataset: Dataset) -> str:
    """Hash of what a model is made from: names, rows, labels and their times."""
    digest = hashlib.sha256("\n".join((dataset.market, *NAMES)).encode())
    for name in ("rows", "log_price", "listed_ms", "sold_ms"):
        digest.update(np.ascontiguousarray(getattr(dataset, name)).tobytes())
    digest.update("\n".join(dataset.listing_id).encode())
    return digest.hexdigest()
