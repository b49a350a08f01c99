"""The dictionary of features is held against the code: each claim is tried, not read."""

import math
from collections.abc import Callable

import msgspec
import pytest

from producers.selection import Selection
from producers.sources import Tally, default_paths
from stream_app.contract.events import Listing
from stream_app.core import feature_dictionary, features, peers, region
from stream_app.core.features import FEATURES, NAMES, Feature, look_around
from stream_app.core.region import Region
from stream_app.core.watermark import Timing
from stream_app.stages import scorer
from tests import replay
from tests.builders import DAY_MS, HOUR_MS, LISTED_MS, listing

Row = Callable[[Listing, Region], tuple[float, ...]]
OPTIONAL = {field.name for field in msgspec.structs.fields(Listing) if not field.required}
# A home of which everything is known.
WHOLE = listing(
    model="improved",
    street="ang mo kio ave 4",
    floor=8.0,
    lease_remaining_years=64.5,
    renovated_year=2004,
    event_time_ms=LISTED_MS + 12 * HOUR_MS,
)
GROUP = peers.group_of(WHOLE.street, WHOLE.property_type)
WINDOWS = [feature for feature in FEATURES if feature.span_ms]


def row_of(home: Listing, around: Region) -> tuple[float, ...]:
    group = peers.group_of(home.street, home.property_type)
    return features.row(home, look_around(around, home.event_time_ms, group))


def region_with(*ages_ms: int) -> Region:
    """A region with two sales and listings just now, and cheaper ones so long ago, twice."""
    noted = Region()
    for number, age_ms in enumerate((0, 0, *ages_ms, *ages_ms)):
        at_ms = WHOLE.event_time_ms - age_ms
        ppm2 = 8.0 + number / 10 if number < 2 else 6.0
        region.note_sale(noted, at_ms, Timing.ON_TIME, ppm2, GROUP)
        region.note_listing(noted, at_ms, Timing.ON_TIME)
    return noted


def value(feature: Feature, row: tuple[float, ...]) -> float:
    return row[NAMES.index(feature.name)]


def check_source(feature: Feature, row: Row = row_of) -> None:
    """Null exactly when an optional field of the source is."""
    around = region_with()
    assert not math.isnan(value(feature, row(WHOLE, around)))
    for field in OPTIONAL:
        bare = msgspec.structs.replace(WHOLE, **{field: None})
        assert math.isnan(value(feature, row(bare, around))) == (field in feature.source), field


def check_window(feature: Feature, row: Row = row_of) -> None:
    """What happened inside the window moves it, what happened before does not."""
    bucket_ms = HOUR_MS if feature.span_ms == DAY_MS else DAY_MS
    into_bucket_ms = WHOLE.event_time_ms % bucket_ms
    oldest_ms = feature.span_ms - bucket_ms + into_bucket_ms
    without = value(feature, row(WHOLE, region_with()))

    assert value(feature, row(WHOLE, region_with(oldest_ms))) != without
    assert value(feature, row(WHOLE, region_with(oldest_ms + 1))) == without


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_feature_is_null_when_its_source_is_absent_and_never_else(feature: Feature) -> None:
    check_source(feature)


def test_the_check_of_sources_catches_a_zero_for_what_is_unknown() -> None:
    def zeros(home: Listing, around: Region) -> tuple[float, ...]:
        return tuple(0.0 if math.isnan(each) else each for each in row_of(home, around))

    with pytest.raises(AssertionError):
        check_source(named("home_floor"), zeros)


@pytest.mark.parametrize("feature", WINDOWS, ids=lambda feature: feature.name)
def test_a_window_reaches_as_far_as_it_says(feature: Feature) -> None:
    check_window(feature)


@pytest.mark.parametrize("days", [-1, 1], ids=["too short", "too long"])
def test_the_check_of_windows_catches_one_of_another_length(days: int) -> None:
    longer = named("region_sales_30d")._replace(span_ms=(30 - days) * DAY_MS)

    with pytest.raises(AssertionError):
        check_window(longer)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_without_history_a_feature_is_null_if_it_says_so(feature: Feature) -> None:
    first = value(feature, row_of(WHOLE, Region()))

    of_history = feature.name.startswith(("region_", "street_"))
    assert math.isnan(first) == (of_history and bool(feature.null_when))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("home_log_lot", {"lot_m2": 0.0}),
        ("home_log_neighbour_area", {"neighbour_area_m2": 0.0}),
        ("home_log_neighbour_lot", {"neighbour_lot_m2": 0.0}),
    ],
)
def test_what_has_no_logarithm_is_null_and_says_so(name: str, change: dict[str, object]) -> None:
    bare = msgspec.structs.replace(WHOLE, **change)

    assert math.isnan(value(named(name), row_of(bare, region_with())))
    assert named(name).null_when


@pytest.mark.parametrize("source", ["king-county", "hdb"])
def test_every_value_of_a_file_lies_in_the_range_of_its_feature(source: str) -> None:
    chosen = Selection(source=source, paths=tuple(default_paths(source)[-1:]), seed=1, limit=3_000)
    ran = replay.run(scorer.advance, [replay.records(chosen.events(Tally()))], {})
    rows = [said.features for said in replay.predictions(ran.outputs)]

    assert len(rows) > 1_000
    outside = {
        (feature.name, each)
        for row in rows
        for feature, each in zip(FEATURES, row, strict=True)
        if each is not None and not feature.low <= each <= feature.high
    }
    assert outside == set()


def test_every_feature_says_why_and_how_it_could_leak() -> None:
    assert all(feature.why and feature.leak and feature.unit for feature in FEATURES)


def test_what_comes_of_sales_warns_of_the_own_one() -> None:
    """That it is never in is tried by tests/laws/test_rows.py."""
    of_sales = [f for f in FEATURES if f.name.startswith("region_") and "listings" not in f.name]

    assert all("own sale" in feature.leak for feature in [*of_sales, named("street_ppm2_mean_5")])


def test_the_document_has_a_row_for_each_feature_in_order() -> None:
    lines = feature_dictionary.markdown().splitlines()
    rows = [line.split(" | ") for line in lines if line[2:3].isdecimal()]

    assert [cells[1] for cells in rows] == [f"`{name}`" for name in NAMES]


def named(name: str) -> Feature:
    return FEATURES[NAMES.index(name)]
