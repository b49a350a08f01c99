"""Order inside the allowed lateness leaves no trace in a region's record."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.contract.models import LATENESS_MAX_H
from stream_app.core import features, region
from stream_app.core.features import Around
from stream_app.core.peers import Sold
from stream_app.core.region import Region, note_listing
from stream_app.core.watermark import Timing, observe
from tests.builders import DAY_MS, HOUR_MS, LISTED_MS
from tests.laws.law import LAW, PLANTED

LISTING_LATE_H, SALE_LATE_H = 24, 168
NoteSale = Callable[[Region, int, Timing, float], None]
LookAround = Callable[[Region, int], Around]


class Told(NamedTuple):
    """A listing, or a sale with its log price per m2."""

    after_ms: int
    delay_ms: int  # less than what its kind may be late
    ppm2: float | None

    @property
    def lateness_ms(self) -> int:
        return (LISTING_LATE_H if self.ppm2 is None else SALE_LATE_H) * HOUR_MS


def told(ppm2: st.SearchStrategy[float | None], late_h: int) -> st.SearchStrategy[Told]:
    after_ms = st.integers(0, 240).map(lambda hours: hours * HOUR_MS)
    delay_ms = st.integers(0, late_h - 1).map(lambda hours: hours * HOUR_MS)
    return st.builds(Told, after_ms, delay_ms, ppm2)


SOLD = told(st.floats(-10.0, 18.0), SALE_LATE_H)
SALES = st.lists(SOLD, min_size=4, max_size=12)
EVENTS = st.lists(SOLD | told(st.none(), LISTING_LATE_H), min_size=4, max_size=16)


STREET = 7  # all homes are peers


def note_sale(noted: Region, at_ms: int, timing: Timing, ppm2: float) -> None:
    region.note_sale(noted, at_ms, timing, ppm2, STREET)


def look_around(around: Region, at_ms: int) -> Around:
    return features.look_around(around, at_ms, STREET)


def region_of(events: list[Told], note: NoteSale = note_sale) -> Region:
    kept = Region()
    for number, event in enumerate(events):
        at_ms = LISTED_MS + event.after_ms
        timing = observe(kept.clock, at_ms, f"e-{number}", event.lateness_ms)
        if event.ppm2 is None:
            note_listing(kept, at_ms, timing)
        else:
            note(kept, at_ms, timing, event.ppm2)
    return kept


def check_order_leaves_no_trace(note: NoteSale, how: settings = LAW) -> None:
    @how
    @given(EVENTS)
    def order_leaves_no_trace(events: list[Told]) -> None:
        in_order = sorted(events, key=lambda event: event.after_ms)
        as_they_came = sorted(events, key=lambda event: event.after_ms + event.delay_ms)

        kept = [region.freeze(region_of(each, note)) for each in (in_order, as_they_came)]

        assert kept[0] == kept[1]

    order_leaves_no_trace()


def check_newer_events_are_not_seen(look: LookAround, how: settings = LAW) -> None:
    @how
    @given(SALES, st.lists(st.integers(1, LATENESS_MAX_H), min_size=1, max_size=4))
    def newer_events_are_not_seen(sales: list[Told], newer_h: list[int]) -> None:
        newest_ms = max(sale.after_ms for sale in sales)
        # Windows are exact to a bucket: what is newer begins with the next one.
        at_ms = (LISTED_MS + newest_ms) // DAY_MS * DAY_MS + DAY_MS - 1
        on_time, a_little_late = region_of(sales), region_of(sales)
        for hours in newer_h:
            note_sale(a_little_late, at_ms + hours * HOUR_MS, Timing.ON_TIME, 9.0)

        seen = [look(each, at_ms)._replace(sale_age_days=0.0) for each in (on_time, a_little_late)]

        assert seen[0] == seen[1]

    newer_events_are_not_seen()


def note_floats(noted: Region, at_ms: int, timing: Timing, ppm2: float) -> None:
    """Planted: sums are floats, which add up differently in another order."""
    note_sale(noted, at_ms, timing, ppm2)
    noted.scale.total += ppm2


def note_at_the_newest(noted: Region, at_ms: int, timing: Timing, ppm2: float) -> None:
    """Planted: a sale is counted when it is heard of."""
    note_sale(noted, noted.clock.newest_ms, timing, ppm2)


def note_unsorted(noted: Region, at_ms: int, timing: Timing, ppm2: float) -> None:
    """Planted: buckets stand in the order of arrival."""
    order = [*noted.sales_days.buckets, at_ms // DAY_MS]
    note_sale(noted, at_ms, timing, ppm2)
    buckets = noted.sales_days.buckets
    noted.sales_days.buckets = {n: buckets[n] for n in order if n in buckets}


def note_newest_five(noted: Region, at_ms: int, timing: Timing, ppm2: float) -> None:
    """Planted: peers are the last five that were heard of."""
    note_sale(noted, at_ms, timing, ppm2)
    heard = noted.peers.groups.get(STREET, [])[-4:]
    noted.peers.groups[STREET] = [*heard, Sold(at_ms // DAY_MS, round(ppm2 * 1e6))]


def look_at_the_newest_five(around: Region, at_ms: int) -> Around:
    """Planted: a listing that comes late is told of sales after it."""
    return features.look_around(around, at_ms)._replace(
        peers_mean=features.look_around(around, around.last_sale_ms, STREET).peers_mean
    )


def look_at_the_newest(around: Region, at_ms: int) -> Around:
    """Planted: windows end at the region's newest event."""
    return look_around(around, max(at_ms, around.last_sale_ms))


def look_at_the_head_alone(around: Region, at_ms: int) -> Around:
    """Planted: hours are kept for a day only, so what came since has pushed them out."""
    newest = max(around.sales_hours, default=0)
    kept = {n: many for n, many in around.sales_hours.items() if n > newest - 24}
    return features.look_around(
        Region(
            sales_hours=kept,
            sales_days=around.sales_days,
            last_sale_ms=around.last_sale_ms,
        ),
        at_ms,
    )


def test_order_leaves_no_trace() -> None:
    check_order_leaves_no_trace(note_sale)


@pytest.mark.parametrize(
    "planted", [note_floats, note_at_the_newest, note_unsorted, note_newest_five]
)
def test_the_law_of_order_catches(planted: NoteSale) -> None:
    with pytest.raises(AssertionError):
        check_order_leaves_no_trace(planted, PLANTED)


def test_newer_events_are_not_seen() -> None:
    check_newer_events_are_not_seen(look_around)


@pytest.mark.parametrize(
    "planted", [look_at_the_newest, look_at_the_head_alone, look_at_the_newest_five]
)
def test_the_law_of_newer_events_catches(planted: LookAround) -> None:
    with pytest.raises(AssertionError):
        check_newer_events_are_not_seen(planted, PLANTED)
