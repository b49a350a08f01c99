"""A rule each: one event that breaks it, and those at its limits that hold."""

import math

import msgspec
import pytest

from stream_app.contract.events import AnyEvent
from stream_app.contract.rejects import RejectCode
from stream_app.contract.remedies import CONDITIONS
from stream_app.contract.rules import (
    EPOCH_1990_MS,
    FUTURE_TOLERANCE_MS,
    RULES,
    YEAR_MS,
    from_future,
    violation,
)
from tests.builders import correction, erasure, flat, listing, sale, withdrawal

EVENT_YEAR = 2014  # of every event of builders.py

BREAKS: tuple[tuple[RejectCode, AnyEvent], ...] = (
    (RejectCode.MARKET, listing(market="atlantis")),
    (RejectCode.MARKET, withdrawal(market="King-County")),
    (RejectCode.TIME, sale(event_time_ms=1_405_296_000)),
    (RejectCode.TIME, erasure(event_time_ms=EPOCH_1990_MS - 1)),
    (RejectCode.PRICE, sale(sale_price=0.0)),
    (RejectCode.PRICE, sale(sale_price=-1.0)),
    (RejectCode.PRICE, sale(sale_price=0.0099)),
    (RejectCode.PRICE, sale(sale_price=5e-324)),
    (RejectCode.PRICE, sale(sale_price=1e9)),
    (RejectCode.PRICE, sale(sale_price=math.nan)),
    (RejectCode.PRICE, correction(sale_price=math.inf)),
    (RejectCode.PRICE, listing(asking_price=0.0)),
    (RejectCode.AREA, listing(area_m2=9.99)),
    (RejectCode.AREA, listing(area_m2=5_000.01)),
    (RejectCode.AREA, listing(area_m2=math.nan)),
    (RejectCode.ROOMS, listing(bedrooms=33, area_m2=151.0)),
    (RejectCode.ROOMS, listing(bedrooms=-1)),
    (RejectCode.ROOMS, listing(bathrooms=61.0)),
    (RejectCode.ROOMS, listing(bathrooms=-0.5)),
    (RejectCode.YEARS, listing(built_year=1499)),
    (RejectCode.YEARS, listing(built_year=EVENT_YEAR + 6)),
    (RejectCode.YEARS, listing(built_year=1990, renovated_year=1989)),
    (RejectCode.YEARS, listing(built_year=None, renovated_year=0)),
    (RejectCode.YEARS, listing(renovated_year=EVENT_YEAR + 6)),
    (RejectCode.PLACE, listing(latitude=-122.257, longitude=47.5112)),
    (RejectCode.PLACE, listing(longitude=180.5)),
    (RejectCode.PLACE, listing(longitude=None)),
    (RejectCode.PLACE, listing(latitude=None)),
    (RejectCode.RANGE, listing(lot_m2=-1.0)),
    (RejectCode.RANGE, listing(basement_m2=1e8)),
    (RejectCode.RANGE, listing(neighbour_area_m2=math.nan)),
    (RejectCode.RANGE, listing(neighbour_lot_m2=-0.1)),
    (RejectCode.RANGE, listing(storeys=11.0)),
    (RejectCode.RANGE, flat(floor=201.0)),
    (RejectCode.RANGE, flat(lease_remaining_years=-1.0)),
    (RejectCode.RANGE, listing(condition=6)),
    (RejectCode.RANGE, listing(grade=0)),
    (RejectCode.RANGE, listing(view=5)),
)

HOLDS: tuple[AnyEvent, ...] = (
    listing(),
    flat(),
    sale(),
    correction(),
    withdrawal(),
    erasure(),
    erasure(event_time_ms=EPOCH_1990_MS),
    sale(sale_price=0.01),
    sale(sale_price=999_999_999.0),
    listing(asking_price=None),
    listing(asking_price=1.0),
    listing(area_m2=10.0, bedrooms=1),
    listing(area_m2=5_000.0),
    listing(bedrooms=0),
    listing(bedrooms=None),
    listing(bedrooms=10, area_m2=70.0),
    listing(bathrooms=60.0),
    listing(built_year=1500),
    listing(built_year=EVENT_YEAR + 5),
    listing(built_year=1990, renovated_year=1990),
    listing(built_year=None, renovated_year=1985),
    listing(latitude=None, longitude=None),
    listing(latitude=90.0, longitude=-180.0),
    listing(lot_m2=0.0, basement_m2=1e7, neighbour_area_m2=None, neighbour_lot_m2=None),
    listing(storeys=10.0, condition=1, grade=13, view=4),
    flat(floor=-5.0, lease_remaining_years=1_000.0),
)


@pytest.mark.parametrize(
    ("code", "event"),
    BREAKS,
    ids=[f"{code}-{number}" for number, (code, _) in enumerate(BREAKS)],
)
def test_an_unbelievable_event_is_refused_with_its_code(code: RejectCode, event: AnyEvent) -> None:
    broken = violation(event)

    assert broken is not None
    assert broken[0] is code


@pytest.mark.parametrize("event", HOLDS, ids=range(len(HOLDS)))
def test_an_event_at_the_limit_is_believed(event: AnyEvent) -> None:
    assert violation(event) is None


def test_every_rule_is_broken_by_an_event_above() -> None:
    assert {rule.code for rule in RULES} == {code for code, _ in BREAKS}


def test_a_violation_names_the_values_and_the_limit() -> None:
    assert violation(listing(bedrooms=33, area_m2=151.0)) == (
        RejectCode.ROOMS,
        (
            "bedrooms=33, bathrooms=1.5, area_m2=151.0: "
            "must hold: bedrooms * 7 <= area_m2, at most 60 bathrooms"
        ),
    )


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (listing(asking_price=-5.0), "asking_price=-5.0: "),
        (sale(sale_price=0.0), "sale_price=0.0: "),
        (listing(market="atlantis"), "market='atlantis', known: king-county, hdb: "),
        (sale(event_time_ms=5), "event_time_ms=5; milliseconds since 1970 are wanted: "),
    ],
    ids=["asking price", "sale price", "market", "time"],
)
def test_each_kind_of_violation_names_its_value(event: AnyEvent, told: str) -> None:
    broken = violation(event)

    assert broken is not None
    assert broken[1].startswith(told)


def test_the_first_broken_rule_is_the_one_that_is_told() -> None:
    broken = violation(listing(market="atlantis", area_m2=0.0))

    assert broken is not None
    assert broken[0] is RejectCode.MARKET


def test_the_year_of_an_event_is_right_at_the_turn_of_the_year() -> None:
    # The mean year drifts by less than a day; "+ 5" years is no closer than that.
    newest = listing(event_time_ms=44 * YEAR_MS, built_year=1970 + 44 + 5)

    assert violation(newest) is None
    assert violation(msgspec.structs.replace(newest, event_time_ms=44 * YEAR_MS - 1)) is not None


def test_clocks_may_differ_by_the_tolerance_and_no_more() -> None:
    event = sale()
    latest_ms = event.event_time_ms - FUTURE_TOLERANCE_MS

    assert from_future(event, latest_ms) is None
    assert from_future(event, latest_ms - 1) == (
        RejectCode.FUTURE,
        f"event_time_ms={event.event_time_ms} is after {latest_ms - 1}, when the broker took it",
    )


def test_the_table_of_remedies_names_the_tolerance() -> None:
    assert f"at most {FUTURE_TOLERANCE_MS // 60_000} minutes" in (
        CONDITIONS[RejectCode.FUTURE].must_hold
    )
