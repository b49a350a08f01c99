"""Which A/B test runs, or ran last, and its listings with their sales: out of the archive.

A test begins with the offset from which a partition was served with it (`housing.activations`), so
it is the same listings whoever asks, and whenever. Another champion, challenger or share is another
test; another version of the corrector is not: it goes on learning in both arms.
"""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd
import pyarrow.compute as pc

from monitoring import frames
from monitoring.ab_verdict import Enrolled
from monitoring.frames import Market
from stream_app.contract import wire
from stream_app.contract.models import Activated, RolloutMode
from stream_app.contract.predictions import Arm
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import ACTIVATIONS, OUTCOMES, PREDICTIONS

_SOLD = ("listing_id", "listed_ms", "sold_ms", "sale_price", "price")
_LISTED = ("listing_id", "event_time_ms", "source_partition", "source_offset", "arm", "supersedes")


class Contest(NamedTuple):
    """Who is compared, and by how many listings."""

    champion: str | None
    challenger: str
    share: float


class Stretch(NamedTuple):
    """Offsets of one partition that were served under a test."""

    from_offset: int
    to_offset: int | None  # None: it still is


class Tested(NamedTuple):
    test: Contest
    stretches: dict[int, Stretch]  # by source partition; grows while activations are read

    @property
    def runs(self) -> bool:
        """Whether any partition is still served under it."""
        return any(stretch.to_offset is None for stretch in self.stretches.values())

    def holds(self, partition: int, offset: int) -> bool:
        """Whether what was taken there was served under it."""
        stretch = self.stretches.get(partition)
        return (
            stretch is not None
            and offset >= stretch.from_offset
            and (stretch.to_offset is None or offset < stretch.to_offset)
        )


class Known(NamedTuple):
    """What a test can be judged by."""

    enrolled: list[Enrolled]  # mature ones
    young: int  # listings that are not
    errors_before: list[float]  # |log error| of homes that the test did not deal


def newest_test(activations: Iterable[tuple[int, Activated]]) -> Tested | None:
    """The test that was begun last; None: there never was one.

    `activations`: of one market, each with when it was appended.
    """
    found: Tested | None = None
    serving: dict[int, Contest | None] = {}
    for _, each in sorted(activations, key=lambda pair: (pair[0], pair[1].from_offset)):
        test, here = _test(each), each.partition
        if test == serving.get(here):
            continue
        serving[here] = test
        if found is not None and here in found.stretches:
            stretch = found.stretches[here]
            if stretch.to_offset is None:
                found.stretches[here] = stretch._replace(to_offset=each.from_offset)
        if test is not None:
            if found is None or test != found.test:
                found = Tested(test, {})
            found.stretches[here] = Stretch(each.from_offset, None)
    return found


def _test(served: Activated) -> Contest | None:
    if served.mode is not RolloutMode.AB or served.challenger is None:
        return None
    return Contest(served.champion, served.challenger, served.share)


def activations(market: Market) -> Iterator[tuple[int, Activated]]:
    """Read those of a market, with when each was appended."""
    for file in market.raw_files(ACTIVATIONS):
        yield from frames.messages(market.root / file.path, wire.decode_activated)


def known(market: Market, tested: Tested, mature_days: float) -> Known:
    """Gather the test's listings, and what is known of their sales."""
    sales = frames.outcomes(*market, columns=_SOLD)
    now_ms = max(frames.newest_ms(market, topic) or 0 for topic in (PREDICTIONS, OUTCOMES))
    followed_ms = int(mature_days * DAY_MS)
    errors = _errors(sales, followed_ms)
    listed = list(_listed(market, tested))
    enrolled = [
        Enrolled(listed_ms, listing_id, arm, errors.get(listing_id))
        for listing_id, listed_ms, arm in listed
        if listed_ms + followed_ms <= now_ms
    ]
    dealt = {listing_id for listing_id, _, _ in listed}
    before = [error for listing_id, error in errors.items() if listing_id not in dealt]
    return Known(enrolled, len(listed) - len(enrolled), before)


def _errors(sales: pd.DataFrame, followed_ms: int) -> dict[str, float]:
    """|log error| by listing, of those that were sold within the time."""
    if sales.empty:
        return {}
    within = sales[(sales["sold_ms"] - sales["listed_ms"] <= followed_ms) & sales["price"].notna()]
    rows = zip(within["listing_id"], within["sale_price"], within["price"], strict=True)
    return {listing_id: abs(math.log(sold / said)) for listing_id, sold, said in rows}


def _listed(market: Market, tested: Tested) -> Iterator[tuple[str, int, Arm]]:
    """Homes that were first listed under the test; what was amended later keeps its arm."""
    seen: set[str] = set()
    for file in market.files(PREDICTIONS):
        for table in frames.batches(market.root / file.path, list(_LISTED)):
            new = table.filter(pc.is_null(table["supersedes"]))
            for listing_id, at_ms, partition, offset, arm, _ in zip(
                *(new[name].to_pylist() for name in _LISTED), strict=True
            ):
                if tested.holds(partition, offset) and listing_id not in seen:
                    seen.add(listing_id)
                    yield listing_id, at_ms, Arm(arm)
