"""King County: one row to a listing and its sale, in SI units."""

from collections import Counter
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.sources import king_county
from producers.sources.rows import BadCell
from stream_app.contract import rules
from stream_app.contract.rejects import RejectCode
from tests.unit.producers.raw_rows import king_county_offer, king_county_row

DAY_MS = 86_400_000


def test_a_real_row_is_this_listing() -> None:
    listing = msgspec.to_builtins(king_county_offer().listing)

    assert {key: value for key, value in listing.items() if value is not None} == {
        "kind": "listing",
        "event_id": listing["event_id"],
        "event_time_ms": listing["event_time_ms"],
        "market": "king-county",
        "region": "kc-98178",
        "listing_id": "kc-7129300520-20141013",
        "home_id": "kc-7129300520",
        "source": "king-county-sales",
        "trace_id": "kc-7129300520-20141013",
        "schema_version": 1,
        "revision": 0,
        "simulated_fields": ("event_time_ms",),
        "property_type": "house",
        "area_m2": 1180 * 0.09290304,
        "lot_m2": 5650 * 0.09290304,
        "basement_m2": 0.0,
        "neighbour_area_m2": 1340 * 0.09290304,
        "neighbour_lot_m2": 5650 * 0.09290304,
        "bedrooms": 3,
        "bathrooms": 1.0,
        "storeys": 1.0,
        "built_year": 1955,
        "condition": 3,
        "grade": 7,
        "view": 0,
        "waterfront": False,
        "latitude": 47.5112,
        "longitude": -122.257,
    }


def test_its_sale_is_of_the_day_and_at_the_price_of_the_file() -> None:
    sale = king_county_offer().sale

    assert sale.event_time_ms == datetime(2014, 10, 13, tzinfo=UTC).timestamp() * 1000
    assert sale.sale_price == 221_900.0
    assert sale.listing_id == "kc-7129300520-20141013"
    assert sale.region == "kc-98178"
    assert sale.simulated_fields == ()


def test_a_price_in_scientific_notation_is_read() -> None:
    assert king_county_offer(price="1.225e+006").sale.sale_price == 1_225_000.0


def test_never_renovated_is_unknown_and_not_the_year_0() -> None:
    assert king_county_offer(yr_renovated="0").listing.renovated_year is None
    assert king_county_offer(yr_renovated="1991").listing.renovated_year == 1991


def test_a_home_sold_twice_is_two_listings_of_one_home() -> None:
    first = king_county_offer(id="6021501535", date="20140725T000000")
    second = king_county_offer(id="6021501535", date="20141223T000000")

    assert first.listing.home_id == second.listing.home_id == "kc-6021501535"
    ids = {event.event_id for event in (*first, *second)}
    assert len(ids) == 4
    assert first.listing.listing_id != second.listing.listing_id


def test_leading_zeros_that_a_spreadsheet_dropped_come_back_and_are_counted() -> None:
    row = king_county_row(id="16000397")

    offer = king_county.read_row(row, 0, Counter())

    assert offer.listing.home_id == "kc-0016000397"
    assert row.repaired == ["id"]


@pytest.mark.parametrize(
    ("text", "repaired"),
    [("2014-10-13", []), ("20141013", []), ("10/13/2014", ["date"])],
    ids=["with hyphens", "without a time", "American"],
)
def test_another_way_to_write_the_day_gives_the_same_events(text: str, repaired: list[str]) -> None:
    row = king_county_row(date=text)

    assert king_county.read_row(row, 0, Counter()) == king_county_offer()
    assert row.repaired == repaired


@pytest.mark.parametrize("zipcode", ["98178-1234", "98178.0"])
def test_another_spelling_of_a_zip_code_is_the_same_region(zipcode: str) -> None:
    row = king_county_row(zipcode=zipcode)

    offer = king_county.read_row(row, 0, Counter())

    assert offer.listing.region == offer.sale.region == "kc-98178"
    assert row.repaired == ["zipcode"]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("id", "71293-520"),
        ("id", "12345678901"),
        ("date", "yesterday"),
        ("date", "13/10/2014"),
        ("price", ""),
        ("sqft_living", "?"),
        ("zipcode", "SEATTLE"),
        ("bedrooms", "three"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told(column: str, text: str) -> None:
    with pytest.raises(BadCell, match=f"column {column}: '.*' is not"):
        king_county.read_row(king_county_row(**{column: text}), 0, Counter())


def test_the_home_with_33_bedrooms_is_left_to_the_rules() -> None:
    listing = king_county_offer(bedrooms="33", sqft_living="1620").listing

    broken = rules.violation(listing)

    assert listing.bedrooms == 33
    assert broken is not None
    assert broken[0] is RejectCode.ROOMS


@settings(derandomize=True, database=None, deadline=None)
@given(st.integers(200, 13_540))
def test_square_feet_become_square_metres_exactly(square_feet: int) -> None:
    area_m2 = king_county_offer(sqft_living=str(square_feet)).listing.area_m2

    assert area_m2 == square_feet * 0.09290304
    assert area_m2 / 0.3048**2 == pytest.approx(square_feet, rel=1e-12)


@settings(derandomize=True, database=None, deadline=None)
@given(st.integers(0, 2**63 - 1))
def test_any_seed_lists_a_home_3_to_180_days_before_its_sale(seed: int) -> None:
    listing, sale = king_county_offer(seed)

    assert 3 * DAY_MS <= sale.event_time_ms - listing.event_time_ms <= 180 * DAY_MS
    assert listing.simulated_fields == ("event_time_ms",)
