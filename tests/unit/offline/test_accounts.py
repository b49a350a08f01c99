"""What came in is what went out: rows, and what was dropped by name."""

import pytest

from offline import accounts, dataset, splits
from offline.accounts import DoNotAddUp, account
from stream_app.contract.events import AnyEvent
from tests import builders, sales
from tests.builders import DAY_MS, SOLD_MS

LATER_MS = SOLD_MS + 90 * DAY_MS


def some_of_everything() -> list[AnyEvent]:
    """Two homes sold, one of them twice told; and one event of each kind that makes no row."""
    return [
        builders.listing(),
        builders.listing(),  # a duplicate
        builders.listing(listing_id="again", event_id="1"),  # the same home and sale
        builders.listing(listing_id="unsold", event_id="2", home_id=None),
        builders.listing(listing_id="small", event_id="3", area_m2=1.0),
        builders.listing(listing_id="gone", event_id="4", home_id=None),
        builders.listing(listing_id="forgotten", event_id="5", home_id=None),
        builders.listing(revision=1, event_id="6", bedrooms=4),
        builders.listing(market="hdb", region="hdb-x", event_id="7", event_time_ms=SOLD_MS),
        builders.sale(),
        builders.sale(listing_id="again", event_id="8"),
        builders.sale(listing_id="orphan", event_id="9"),
        builders.sale(listing_id="forgotten", event_id="10"),
        builders.erasure(listing_id="forgotten", event_id="11"),
        builders.withdrawal(listing_id="gone", event_id="12"),
        builders.correction(sale_price=230_000.0),
        builders.correction(listing_id="again", event_id="13", sale_price=230_000.0),
        builders.listing(listing_id="late", event_id="14", event_time_ms=LATER_MS),
    ]


def test_what_was_read_is_rows_and_what_was_dropped() -> None:
    given = some_of_everything()

    rows = dataset.collect([sales.partition(given)], sales.MARKET, LATER_MS)
    clean = splits.without_duplicates(rows)
    found = account(clean.counts, len(clean), clean.examples)

    assert accounts.events(clean.counts) == len(given)
    assert found[0].before == len(given)
    assert found[0].before - sum(line.dropped for line in found) == len(clean) == 1
    assert {line.rule: line.dropped for line in found if line.dropped} == {
        "log:later": 1,
        "log:other_market": 1,
        "area": 1,
        "listing:duplicate": 1,
        "sale:joined": 3,
        "sale:orphan": 1,
        "correction:corrected": 2,
        "withdrawal:withdrawn": 1,
        "erasure:erased": 1,
        "row:erased": 1,
        "row:same_sale": 1,
        "unsold": 3,  # one withdrawn, one that an amendment took the place of
    }


def test_marks_beside_a_verdict_are_no_events() -> None:
    counts = {"listing:scored": 1, "sale:joined": 1, "sale:late": 1, "sale:doubted": 1}

    assert accounts.events(counts) == 2


def test_rows_out_of_nothing_are_a_fault() -> None:
    with pytest.raises(DoNotAddUp, match="1 listings are left of 1 events, and 2 rows"):
        account({"listing:scored": 1}, 2, {})
