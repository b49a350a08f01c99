"""What a model sees of a listing, column by column."""

import math

import pytest

from stream_app.contract.events import Listing
from stream_app.contract.models import LATENESS_MAX_H
from stream_app.core import features, region
from stream_app.core.features import CATEGORICAL, FEATURE_SET, FEATURES, NAMES, look_around
from stream_app.core.region import Region
from stream_app.core.watermark import Timing
from tests.builders import DAY_MS, HOUR_MS, LISTED_MS, flat, listing

# The windows' own names; all other columns are of the home or of the season.
REGIONAL = tuple(name for name in NAMES if name.startswith("region_"))


def row_of(home: Listing, around: Region | None = None) -> dict[str, float]:
    values = features.row(home, look_around(around or Region(), home.event_time_ms))
    return dict(zip(NAMES, values, strict=True))


def sold(*days_ago_and_ppm2: tuple[float, float]) -> Region:
    """A region with sales before `LISTED_MS`, log prices per m2."""
    noted = Region()
    for days_ago, ppm2 in days_ago_and_ppm2:
        region.note_sale(noted, LISTED_MS - round(days_ago * DAY_MS), Timing.ON_TIME, ppm2)
    return noted


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_every_feature_says_its_unit_and_its_meaning() -> None:
    assert all(feature.unit and feature.meaning for feature in FEATURES)


def test_categories_are_the_columns_that_hold_codes() -> None:
    assert CATEGORICAL == (
        "home_type_code",
        "home_model_code",
        "home_street_code",
        "home_region_code",
    )


def test_the_feature_set_has_a_new_name_when_columns_change() -> None:
    """Changed on purpose? Champions made for the old set are refused from now on."""
    assert FEATURE_SET == "318436a7ef99b135f89fce69"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("home_log_area", math.log(110.0)),
        ("home_type_code", features.code("house")),
        ("home_region_code", features.code("kc-98178")),
        ("home_bedrooms", 3.0),
        ("home_bathrooms", 1.5),
        ("home_storeys", 1.0),
        ("home_age_years", 59.53),
        ("home_condition", 3.0),
        ("home_grade", 7.0),
        ("home_view", 0.0),
        ("home_waterfront", 0.0),
        ("home_log_lot", math.log(525.0)),
        ("home_basement_m2", 0.0),
        ("home_log_neighbour_area", math.log(124.0)),
        ("home_log_neighbour_lot", math.log(525.0)),
        ("home_latitude", 47.5112),
        ("home_longitude", -122.257),
    ],
)
def test_a_home_is_told_in_numbers(name: str, value: float) -> None:
    assert row_of(listing())[name] == pytest.approx(value, abs=0.005)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("home_model_code", features.code("new generation")),
        ("home_street_code", features.code("ang mo kio ave 4")),
        ("home_floor", 8.0),
        ("home_lease_years", 64.5),
    ],
)
def test_a_flat_is_told_in_numbers(name: str, value: float) -> None:
    assert row_of(flat())[name] == value


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in NAMES
        if name.startswith("home_")
        and name
        not in {
            "home_log_area",
            "home_type_code",
            "home_region_code",
        }
    ],
)
def test_what_is_not_known_of_a_home_is_nan_and_never_zero(name: str) -> None:
    bare = Listing(
        event_id="e",
        event_time_ms=LISTED_MS,
        market="king-county",
        region="kc-98178",
        listing_id="l",
        source="s",
        area_m2=110.0,
        property_type="house",
    )

    assert math.isnan(row_of(bare)[name])


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"lot_m2": 0.0}, "home_log_lot"),
        ({"renovated_year": None}, "home_renovated_years"),
    ],
    ids=["no land", "never renovated"],
)
def test_what_makes_no_sense_is_nan(change: dict[str, object], name: str) -> None:
    assert math.isnan(row_of(listing(**change))[name])


def test_years_since_renovation_are_counted_at_the_event() -> None:
    assert row_of(listing(renovated_year=2004))["home_renovated_years"] == pytest.approx(
        10.53, 1e-3
    )


@pytest.mark.parametrize("name", ["season_sin", "season_cos"])
def test_a_year_on_the_season_is_the_same(name: str) -> None:
    later = listing(event_time_ms=LISTED_MS + 1461 * DAY_MS)  # four years with a leap day

    assert row_of(later)[name] == pytest.approx(row_of(listing())[name], abs=0.01)


def test_a_region_without_history_has_counts_of_zero_and_no_prices() -> None:
    row = row_of(listing())

    counts = [name for name in REGIONAL if "sales_" in name or "listings_" in name]
    assert {row[name] for name in counts} == {0.0}
    assert all(math.isnan(row[name]) for name in REGIONAL if "ppm2" in name)
    assert math.isnan(row["region_sale_age_days"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("region_sales_24h", 1.0),
        ("region_sales_7d", 2.0),
        ("region_sales_30d", 3.0),
        ("region_sales_90d", 4.0),
        ("region_ppm2_median_7d", 7.605),
        ("region_ppm2_median_30d", 7.805),
        ("region_ppm2_median_90d", 7.605),
        ("region_ppm2_mean_30d", 7.8),
        ("region_ppm2_mean_90d", 7.7),
        ("region_ppm2_deviation_90d", 0.2236),
        ("region_ppm2_trend_30d", 0.1),
        ("region_sale_age_days", 0.5),
    ],
)
def test_a_window_holds_what_was_sold_within_it(name: str, value: float) -> None:
    around = sold((0.5, 8.0), (5, 7.6), (20, 7.8), (80, 7.4), (95, 1.0))

    assert row_of(listing(), around)[name] == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "value"),
    [("region_listings_24h", 1.0), ("region_listings_7d", 2.0), ("region_listings_30d", 3.0)],
)
def test_a_window_holds_what_was_listed_within_it(name: str, value: float) -> None:
    around = Region()
    for days_ago in (0.5, 5, 20, 40):
        region.note_listing(around, LISTED_MS - round(days_ago * DAY_MS), Timing.ON_TIME)

    assert row_of(listing(), around)[name] == value


@pytest.mark.parametrize(
    ("name", "oldest_ms"),
    [
        ("region_sales_24h", LISTED_MS - 23 * HOUR_MS),
        ("region_listings_24h", LISTED_MS - 23 * HOUR_MS),
        ("region_sales_90d", LISTED_MS - 89 * DAY_MS),
        ("region_listings_30d", LISTED_MS - 29 * DAY_MS),
    ],
)
def test_a_listing_as_late_as_may_be_finds_its_whole_window(name: str, oldest_ms: int) -> None:
    around = Region()
    for at_ms in (oldest_ms, LISTED_MS + LATENESS_MAX_H * HOUR_MS):
        region.note_listing(around, at_ms, Timing.ON_TIME)
        region.note_sale(around, at_ms, Timing.ON_TIME, 7.6)

    assert row_of(listing(), around)[name] == 1.0


@pytest.mark.parametrize(
    ("days_before", "age_days"),
    [
        ((-1.5,), None),
        ((-0.5, 0.25), 0.25),
        ((-1.5, 60.0), 60.0),
        ((-8.0, 0.5), 1.0),  # hours that old are gone: the day it was
    ],
    ids=["only a newer one", "hours before", "days before", "to the day"],
)
def test_a_late_listing_does_not_see_newer_sales(
    days_before: tuple[float, ...], age_days: float | None
) -> None:
    age = row_of(listing(), sold(*((days, 8.0) for days in days_before)))["region_sale_age_days"]

    assert math.isnan(age) if age_days is None else age == age_days


def test_the_naive_price_is_the_median_per_m2_times_the_area() -> None:
    around = look_around(sold((5, 7.6)), LISTED_MS)

    assert features.naive_log_price(listing(), around) == pytest.approx(7.605 + math.log(110.0))


def test_without_sales_there_is_no_naive_price() -> None:
    assert features.naive_log_price(listing(), look_around(Region(), LISTED_MS)) is None
