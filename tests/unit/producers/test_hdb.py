"""HDB: rows of all three schemas to a listing and its sale."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.sources import hdb
from producers.sources.rows import BadCell, Row
from tests.unit.producers.raw_rows import HDB_2012, HDB_2015, HDB_2017, hdb_offer

DAY_MS = 86_400_000
SCHEMAS = pytest.mark.parametrize(
    "cells", [HDB_2012, HDB_2015, HDB_2017], ids=["to 2014", "2015-16", "since 2017"]
)


def test_a_real_row_of_the_newest_schema_is_this_listing() -> None:
    listing = msgspec.to_builtins(hdb_offer(HDB_2017).listing)

    assert {key: value for key, value in listing.items() if value is not None} == {
        "kind": "listing",
        "event_id": listing["event_id"],
        "event_time_ms": listing["event_time_ms"],
        "market": "hdb",
        "region": "hdb-ang-mo-kio",
        "listing_id": listing["listing_id"],
        "source": "hdb-resale",
        "trace_id": listing["listing_id"],
        "schema_version": 1,
        "revision": 0,
        "simulated_fields": ("event_time_ms",),
        "property_type": "2 room",
        "model": "improved",
        "street": "ang mo kio ave 10",
        "area_m2": 44.0,
        "floor": 11.0,
        "built_year": 1979,
        "lease_remaining_years": 61 + 4 / 12,
        "latitude": 1.36200453938712,
        "longitude": 103.853879910407,
    }


@SCHEMAS
def test_its_sale_is_within_the_month_of_the_file_and_says_that_the_moment_is_made_up(
    cells: Mapping[str, str],
) -> None:
    sale = hdb_offer(cells).sale

    sold = datetime.fromtimestamp(sale.event_time_ms / 1000, UTC)
    assert sold.strftime("%Y-%m") == cells["month"]
    assert sale.sale_price == float(cells["resale_price"])
    assert sale.simulated_fields == ("event_time_ms",)


@pytest.mark.parametrize(
    ("cells", "years"),
    [(HDB_2012, 99 - (2012 - 1986)), (HDB_2015, 70.0), (HDB_2017, 61 + 4 / 12)],
    ids=["absent: computed", "whole years", "text"],
)
def test_the_lease_is_in_years_in_every_schema(cells: Mapping[str, str], years: float) -> None:
    assert hdb_offer(cells).listing.lease_remaining_years == years


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("61 years 04 months", 61 + 4 / 12),
        ("62 years 01 month", 62 + 1 / 12),
        ("63 years", 63.0),
        ("70", 70.0),
    ],
)
def test_every_way_to_write_a_lease_is_read(text: str, years: float) -> None:
    listing = hdb_offer(HDB_2017, remaining_lease=text).listing

    assert listing.lease_remaining_years == years


@pytest.mark.parametrize(
    ("text", "floor"),
    [("06 TO 10", 8.0), ("01 TO 03", 2.0), ("04 to 06", 5.0), ("7", 7.0), ("", None)],
)
def test_a_bin_of_storeys_becomes_its_middle(text: str, floor: float | None) -> None:
    assert hdb_offer(HDB_2012, storey_range=text).listing.floor == floor


@pytest.mark.parametrize("town", ["ANG MO KIO", "Ang Mo Kio", "ang-mo-kio", " ANG  MO KIO "])
def test_any_spelling_of_a_town_is_one_region(town: str) -> None:
    offer = hdb_offer(HDB_2012, town=town)

    assert offer.listing.region == offer.sale.region == "hdb-ang-mo-kio"
    assert offer.listing.event_id == hdb_offer(HDB_2012).listing.event_id


def test_an_unusual_spelling_of_a_town_is_counted_and_a_usual_one_is_not() -> None:
    usual = Row({**HDB_2012, "town": "KALLANG/WHAMPOA"})
    unusual = Row({**HDB_2012, "town": "Kallang / Whampoa"})

    regions = {hdb.read_row(row, 0, Counter()).listing.region for row in (usual, unusual)}

    assert regions == {"hdb-kallang-whampoa"}
    assert (usual.repaired, unusual.repaired) == ([], ["town"])


@pytest.mark.parametrize("text", ["MULTI-GENERATION", "MULTI GENERATION", "Multi Generation"])
def test_spellings_of_types_and_models_are_one(text: str) -> None:
    listing = hdb_offer(HDB_2012, flat_type=text, flat_model=text).listing

    assert (listing.property_type, listing.model) == ("multi generation", "multi generation")


def test_a_new_flat_model_passes() -> None:
    assert hdb_offer(HDB_2017, flat_model="3Gen").listing.model == "3gen"


def test_a_failed_geocoding_is_dropped_and_counted() -> None:
    row = Row({**HDB_2017, "latitude": "0.0", "longitude": "0.0"})

    listing = hdb.read_row(row, 0, Counter()).listing

    assert (listing.latitude, listing.longitude) == (None, None)
    assert row.repaired == ["latitude"]


def test_twin_flats_are_two_listings_whatever_row_number_they_have() -> None:
    twins: Counter[str] = Counter()

    offers = [hdb.read_row(Row({**HDB_2017, "_id": n}), 0, twins) for n in ("1", "2")]

    assert len({event.event_id for offer in offers for event in offer}) == 4
    assert len({offer.listing.listing_id for offer in offers}) == 2


def test_the_same_row_in_another_file_is_the_same_event() -> None:
    assert hdb_offer(HDB_2017, _id="9", floor_area_sqm="44") == hdb_offer(HDB_2017)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("month", "2012-13"),
        ("month", "March 2012"),
        ("month", ""),
        ("town", "***"),
        ("storey_range", "HIGH"),
        ("remaining_lease", "long"),
        ("floor_area_sqm", "n/a"),
        ("resale_price", "free"),
        ("lease_commence_date", "1986.5"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told(column: str, text: str) -> None:
    with pytest.raises(BadCell, match=f"column {column}: '.*' is not"):
        hdb.read_row(Row({**HDB_2017, column: text}), 0, Counter())


@settings(derandomize=True, database=None, deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(1990, 2030), st.integers(1, 12))
def test_any_seed_puts_the_sale_into_its_month_and_the_listing_before_it(
    seed: int, year: int, month: int
) -> None:
    listing, sale = hdb_offer(HDB_2012, seed, month=f"{year}-{month:02d}")

    sold = datetime.fromtimestamp(sale.event_time_ms / 1000, UTC)
    assert (sold.year, sold.month) == (year, month)
    assert 3 * DAY_MS <= sale.event_time_ms - listing.event_time_ms <= 180 * DAY_MS
