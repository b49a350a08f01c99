"""What another way of serving changes: the same listings, answered twice.

A change is the price of the second way over that of the first, less 1. Homes that were sold
since also say which of the two was nearer. Not here: the replay (replay.py), the page
(difference_page.py).
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from offline import metrics
from offline.errors import price_bands
from offline.metrics import Figures
from offline.replay import Placed
from stream_app.contract import topics, wire
from stream_app.contract.events import Listing
from stream_app.contract.predictions import Outcome, Prediction
from stream_app.contract.rejects import Rejected
from stream_app.stages.step import Output

MOVED = 0.05  # of the price: what a customer would notice
WORST_LISTINGS = 20

Place = tuple[int, int]  # partition and offset of the listing


class Pair(NamedTuple):
    """One listing and both answers to it; NaN: there was none."""

    listing_id: str
    region: str
    property_type: str
    before: float
    after: float


class SoldTwice(NamedTuple):
    """One sale, judged against both answers that had been given at the listing."""

    listing_id: str
    listed_ms: int
    sale_price: float
    before: float
    after: float


class Segment(Struct, frozen=True):
    """Listings that have something in common."""

    by: str
    name: str
    listings: int  # that both ways gave a price
    mean_change: float
    median_change: float
    moved: float  # share of the listings whose price changes by more than `MOVED`


class Moved(Struct, frozen=True):
    listing_id: str
    region: str
    property_type: str
    before: float
    after: float
    change: float


class Difference(Struct, frozen=True):
    """All figures of the page."""

    market: str
    before: str
    after: str
    listings: int
    only_before: int  # a price is given by the first way alone
    only_after: int
    overall: Segment | None  # None: no listing has two prices
    segments: tuple[Segment, ...]
    worst: tuple[Moved, ...]
    sold_before: Figures  # of the answers to homes that were sold since
    sold_after: Figures


class Comparison:
    """Gathers answers and sales of two ways over the same chunks of the log."""

    def __init__(self, market: str) -> None:
        self._market = market
        self._pairs: dict[str, Pair] = {}  # the newest answer to each listing
        self._sold: dict[str, SoldTwice] = {}

    def take(
        self, chunk: Sequence[Placed], before: Sequence[Output], after: Sequence[Output]
    ) -> None:
        """Take in what both ways made of a chunk."""
        earlier, later = self._answers(before), self._answers(after)
        for number, line in chunk:
            place = number, line.record.offset
            if place in earlier or place in later:
                pair = _pair(line.record.value, earlier.get(place), later.get(place))
                self._pairs[pair.listing_id] = pair
        sold = {outcome.sale_event_id: outcome for outcome in self._outcomes(before)}
        for outcome in self._outcomes(after):
            if outcome.listing_id in self._pairs and outcome.sale_event_id in sold:
                self._judge(sold[outcome.sale_event_id], outcome)

    def _judge(self, before: Outcome, after: Outcome) -> None:
        self._sold[after.listing_id] = SoldTwice(
            after.listing_id,
            after.listed_ms,
            after.sale_price,
            _price(before.price),
            _price(after.price),
        )

    def _answers(self, outputs: Iterable[Output]) -> dict[Place, Prediction]:
        return {
            (said.source_partition, said.source_offset): said
            for said in predictions(outputs, self._market)
        }

    def _outcomes(self, outputs: Iterable[Output]) -> list[Outcome]:
        mine = self._market.encode()
        return [
            wire.decode_outcome(output.value or b"")
            for output in outputs
            if output.topic is topics.OUTCOMES and output.key == mine
        ]

    @property
    def sold(self) -> list[SoldTwice]:
        """Sales of homes that both ways gave a price, by the time of their listing."""
        found = [s for s in self._sold.values() if not math.isnan(s.before + s.after)]
        return sorted(found, key=lambda s: (s.listed_ms, s.listing_id))

    def difference(self, before: str, after: str) -> Difference:
        """All figures of what was taken in; the arguments name the two ways."""
        pairs = list(self._pairs.values())
        both = [pair for pair in pairs if not math.isnan(pair.before + pair.after)]
        sold = self.sold
        sale_price = np.array([each.sale_price for each in sold])
        return Difference(
            market=self._market,
            before=before,
            after=after,
            listings=len(pairs),
            only_before=sum(math.isnan(p.after) and not math.isnan(p.before) for p in pairs),
            only_after=sum(math.isnan(p.before) and not math.isnan(p.after) for p in pairs),
            overall=_segment("all", "all", _changes(both)) if both else None,
            segments=_segments(both),
            worst=_worst(both),
            sold_before=metrics.judge(np.array([s.before for s in sold]), sale_price),
            sold_after=metrics.judge(np.array([s.after for s in sold]), sale_price),
        )


def predictions(outputs: Iterable[Output], market: str) -> list[Prediction]:
    """What was answered of a market; tombstones are left out."""
    found = (
        wire.decode_prediction(output.value)
        for output in outputs
        if output.topic is topics.PREDICTIONS and output.value is not None
    )
    return [said for said in found if said.market == market]


def _pair(event: bytes | None, before: Prediction | None, after: Prediction | None) -> Pair:
    decoded = wire.decode_event(event or b"")
    assert not isinstance(decoded, Rejected)  # noqa: S101 - it was answered
    listing = decoded.event
    assert isinstance(listing, Listing)  # noqa: S101 - nothing else is answered
    return Pair(
        listing.listing_id,
        listing.region,
        listing.property_type,
        _price(None if before is None else before.price),
        _price(None if after is None else after.price),
    )


def _price(price: float | None) -> float:
    return math.nan if price is None else price


def _changes(pairs: Sequence[Pair]) -> NDArray[np.float64]:
    changes: NDArray[np.float64] = np.array([pair.after / pair.before - 1 for pair in pairs])
    return changes


def _segments(pairs: Sequence[Pair]) -> tuple[Segment, ...]:
    if not pairs:
        return ()
    changes = _changes(pairs)
    bands, order = price_bands(np.array([pair.before for pair in pairs]))
    regions = np.array([pair.region for pair in pairs])
    types = np.array([pair.property_type for pair in pairs])
    return tuple(
        _segment(by, name, changes[names == name])
        for by, names, wanted in (
            ("region", regions, np.unique(regions).tolist()),
            ("type", types, np.unique(types).tolist()),
            ("price before", bands, order),
        )
        for name in wanted
        if (names == name).any()
    )


def _segment(by: str, name: str, changes: NDArray[np.float64]) -> Segment:
    return Segment(
        by,
        name,
        len(changes),
        float(changes.mean()),
        float(np.median(changes)),
        float((np.abs(changes) > MOVED).mean()),
    )


def _worst(pairs: Sequence[Pair]) -> tuple[Moved, ...]:
    moved = [Moved(*pair, pair.after / pair.before - 1) for pair in pairs]
    moved.sort(key=lambda each: (-abs(each.change), each.listing_id))
    return tuple(moved[:WORST_LISTINGS])
