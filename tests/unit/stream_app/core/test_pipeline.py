"""What an event does to its region and to the ledger, before any model speaks."""

import math
from collections.abc import Callable

import pytest

from stream_app.contract.events import AnyEvent, Listing
from stream_app.contract.ids import prediction_id
from stream_app.contract.models import Policy
from stream_app.contract.predictions import Arm
from stream_app.core import windows
from stream_app.core.features import NAMES
from stream_app.core.pipeline import Desk, Done, entry_key, featurise
from stream_app.core.region import Region
from stream_app.core.watermark import LEAP_MS, Timing
from tests.builders import (
    DAY_MS,
    HOUR_MS,
    LISTED_MS,
    REGION,
    SOLD_MS,
    correction,
    erasure,
    listing,
    sale,
    withdrawal,
)
from tests.desk import empty_desk

NEIGHBOUR = listing(listing_id="neighbour")
AMENDED = listing(revision=1, event_time_ms=LISTED_MS + DAY_MS)


def last_of(*events: AnyEvent, desk: Desk | None = None) -> Done:
    """What became of the last of these events."""
    desk = desk or empty_desk()
    done = [featurise(event, desk) for event in events]
    return done[-1]


def region_after(*events: AnyEvent) -> Region:
    desk = empty_desk()
    last_of(*events, desk=desk)
    return desk.regions[REGION]


def listings_counted(region: Region) -> int:
    return sum(region.listings_days.values())


def sales_counted(region: Region) -> int:
    return sum(region.sales_hours.values())


def test_a_listing_id_means_something_within_its_region() -> None:
    assert entry_key(listing()) != entry_key(listing(region="kc-98103"))


def named(event: Listing) -> str:
    return prediction_id(event.region, event.listing_id, event.event_id, Arm.CHAMPION)


def test_a_prediction_is_named_after_the_event_that_caused_it() -> None:
    served = last_of(listing()).served

    assert served is not None
    assert served.prediction_id == named(listing())


def test_a_listing_does_not_count_itself() -> None:
    served = last_of(listing()).served

    assert served is not None
    assert served.features[NAMES.index("region_listings_24h")] == 0.0


def test_a_listing_is_counted_for_the_next_one() -> None:
    served = last_of(NEIGHBOUR, listing()).served

    assert served is not None
    assert served.features[NAMES.index("region_listings_24h")] == 1.0


@pytest.mark.parametrize(
    "events",
    [(listing(), AMENDED), (AMENDED, listing()), (listing(), listing())],
    ids=["amended", "amendment first", "sent twice"],
)
def test_a_home_on_offer_is_counted_once(events: tuple[AnyEvent, ...]) -> None:
    assert listings_counted(region_after(*events)) == 1


def test_a_late_listing_is_scored_but_not_counted() -> None:
    late = listing(event_time_ms=LISTED_MS - DAY_MS - 1)
    desk = empty_desk()

    done = last_of(NEIGHBOUR, late, desk=desk)

    assert (done.timing, listings_counted(desk.regions[REGION])) == (Timing.LATE, 1)
    assert done.served is not None
    assert done.served.late


@pytest.mark.parametrize("ms_too_many", [0, 1], ids=["just on time", "just late"])
@pytest.mark.parametrize(
    ("kind", "allowed_h"),
    [(listing, 1), (sale, 2), (correction, 3), (withdrawal, 4)],
    ids=["listing", "sale", "correction", "withdrawal"],
)
def test_each_kind_of_event_may_be_late_by_its_own_setting(
    kind: Callable[..., AnyEvent], allowed_h: int, ms_too_many: int
) -> None:
    policy = Policy(listing_late_h=1, sale_late_h=2, correction_late_h=3, withdrawal_late_h=4)
    at_ms = SOLD_MS - allowed_h * HOUR_MS - ms_too_many
    newest = listing(listing_id="neighbour", event_time_ms=SOLD_MS)

    done = last_of(newest, kind(event_time_ms=at_ms), desk=empty_desk(policy))

    assert done.timing is (Timing.LATE if ms_too_many else Timing.ON_TIME)


def test_an_amended_listing_supersedes_the_newest_prediction() -> None:
    superseded = last_of(listing(), AMENDED).superseded

    assert superseded is not None
    assert superseded.prediction_id == named(listing())


def test_a_first_listing_supersedes_nothing() -> None:
    assert last_of(listing()).superseded is None


def test_an_outdated_listing_gets_no_answer() -> None:
    assert last_of(AMENDED, listing()).served is None


def test_a_listing_after_its_sale_is_marked() -> None:
    assert last_of(sale(), listing(event_time_ms=SOLD_MS)).already_sold


def test_a_listing_before_its_sale_is_not_marked() -> None:
    assert not last_of(listing()).already_sold


def test_a_sold_home_is_counted_with_its_price_per_m2() -> None:
    region = region_after(listing(), sale())

    (frozen,) = region.sales_days.buckets.values()
    assert windows.thaw(frozen).total == round(math.log(221_900.0 / 110.0) * 1e6)


@pytest.mark.parametrize(
    "events",
    [
        (sale(),),
        (listing(), sale(event_time_ms=LISTED_MS - 1)),
        (listing(), withdrawal()),
    ],
    ids=["orphan", "sold before listed", "withdrawn"],
)
def test_what_is_no_sale_of_a_listing_is_not_counted(events: tuple[AnyEvent, ...]) -> None:
    assert sales_counted(region_after(*events)) == 0


@pytest.mark.parametrize(
    "events",
    [(listing(), sale(), correction()), (listing(), correction(), sale())],
    ids=["in order", "correction first"],
)
def test_a_corrected_sale_is_counted_once(events: tuple[AnyEvent, ...]) -> None:
    assert sales_counted(region_after(*events)) == 1


def test_the_age_of_the_features_is_the_time_since_the_newest_sale() -> None:
    next_one = listing(listing_id="next", event_time_ms=SOLD_MS + DAY_MS)

    assert last_of(listing(), sale(), next_one).feature_age_ms == DAY_MS


def test_features_without_a_sale_have_no_age() -> None:
    assert last_of(listing()).feature_age_ms is None


def test_the_naive_price_is_that_of_the_sales_before() -> None:
    next_one = listing(listing_id="next", event_time_ms=SOLD_MS + DAY_MS)

    naive_log = last_of(listing(), sale(), next_one).naive_log

    assert naive_log == pytest.approx(math.log(221_900.0), abs=0.005)


def test_a_sale_joins_what_was_served() -> None:
    desk = empty_desk()
    served = featurise(listing(), desk).served

    assert featurise(sale(), desk).served is served


@pytest.mark.parametrize("event", [sale(), withdrawal()])
def test_an_orphan_moves_the_clock_all_the_same(event: AnyEvent) -> None:
    assert region_after(event).clock.newest_ms == event.event_time_ms


@pytest.mark.parametrize(
    "events",
    [
        (listing(), sale(event_time_ms=LISTED_MS - 1)),
        (listing(), listing()),
        (listing(), erasure()),
    ],
    ids=["sold before listed", "duplicate", "erasure"],
)
def test_what_tells_no_time_leaves_the_clock_alone(events: tuple[AnyEvent, ...]) -> None:
    assert region_after(*events).clock.newest_ms == LISTED_MS


def test_an_unbelieved_leap_is_scored_and_told() -> None:
    far = listing(event_time_ms=LISTED_MS + LEAP_MS + 1)

    done = last_of(NEIGHBOUR, far)

    assert done.timing is Timing.LEAP
    assert done.served is not None
