"""The record of a region: what is counted, and bytes that are refused."""

import msgspec
import pytest

from stream_app.contract.rejects import InvariantBroken
from stream_app.core import region
from stream_app.core.region import LAYOUT, Region
from stream_app.core.watermark import Timing
from tests.builders import DAY_MS, LISTED_MS

NOT_COUNTED = pytest.mark.parametrize("timing", [Timing.LATE, Timing.LEAP])


def test_a_region_thaws_to_what_was_frozen() -> None:
    kept = Region()
    region.note_listing(kept, LISTED_MS, Timing.ON_TIME)
    region.note_sale(kept, LISTED_MS, Timing.ON_TIME, 7.6)

    assert region.thaw(region.freeze(kept)) == kept


def test_a_sale_on_time_is_counted_in_hours_and_in_days() -> None:
    noted = Region()

    region.note_sale(noted, LISTED_MS, Timing.ON_TIME, 7.6)

    assert [len(noted.sales_hours), len(noted.sales_days.buckets)] == [1, 1]
    assert noted.last_sale_ms == LISTED_MS


def test_a_listing_on_time_is_counted_in_hours_and_in_days() -> None:
    noted = Region()

    region.note_listing(noted, LISTED_MS, Timing.ON_TIME)

    assert [len(noted.listings_hours), len(noted.listings_days)] == [1, 1]


@NOT_COUNTED
def test_a_sale_whose_time_is_closed_or_not_believed_is_not_counted(timing: Timing) -> None:
    noted = Region()

    region.note_sale(noted, LISTED_MS, timing, 7.6)

    assert noted == Region()


@NOT_COUNTED
def test_a_listing_whose_time_is_closed_or_not_believed_is_not_counted(timing: Timing) -> None:
    noted = Region()

    region.note_listing(noted, LISTED_MS, timing)

    assert noted == Region()


def test_an_older_sale_does_not_become_the_newest() -> None:
    noted = Region()
    region.note_sale(noted, LISTED_MS, Timing.ON_TIME, 7.6)

    region.note_sale(noted, LISTED_MS - 1, Timing.ON_TIME, 7.6)

    assert noted.last_sale_ms == LISTED_MS


@pytest.mark.parametrize(
    "frozen",
    [b"", b"\xc1", msgspec.msgpack.encode(["one"]), b"\x91\xa2\xff\xfe"],
    ids=["nothing", "no msgpack", "another type", "bad UTF-8"],
)
def test_bytes_that_are_no_region_are_refused(frozen: bytes) -> None:
    with pytest.raises(InvariantBroken, match=f"region record of {len(frozen)} bytes"):
        region.thaw(frozen)


def test_a_region_of_another_layout_is_refused_and_both_are_named() -> None:
    newer = region.freeze(Region(layout=LAYOUT + 1))

    with pytest.raises(InvariantBroken, match=f"layout {LAYOUT + 1}, this is {LAYOUT}"):
        region.thaw(newer)


def test_what_an_absurd_first_date_counted_goes_with_it() -> None:
    noted = Region()
    for at_ms, event_id in ((LISTED_MS + 900 * DAY_MS, "absurd"), (LISTED_MS, "b")):
        timing = region.tell_time(noted, at_ms, event_id, DAY_MS)
        region.note_sale(noted, at_ms, timing, 7.6)
        region.note_listing(noted, at_ms, timing)

    wanted = Region(clock=noted.clock)
    region.note_sale(wanted, LISTED_MS, Timing.ON_TIME, 7.6)
    region.note_listing(wanted, LISTED_MS, Timing.ON_TIME)
    assert noted == wanted
