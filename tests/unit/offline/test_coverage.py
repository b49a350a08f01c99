"""An interval that does not hold somewhere is found, and chance is not taken for a fault."""

import random

import pytest

from offline import coverage, criteria
from offline.coverage import Coverage, Segment
from stream_app.contract.predictions import Outcome
from tests import messages


def sold(inside: bool, **changes: object) -> Outcome:
    given: dict[str, object] = {
        "price": 100.0,
        "price_low": 90.0,
        "price_high": 110.0,
        "sale_price": 100.0 if inside else 120.0,
    }
    return messages.outcome(**(given | changes))


def market(rows: int, share: float, **changes: object) -> list[Outcome]:
    """So many sales, of which exactly the share is inside."""
    return [sold(place < round(share * rows), **changes) for place in range(rows)]


def judged(outcomes: list[Outcome]) -> Coverage:
    found = coverage.judge(outcomes, criteria.shipped())
    assert found is not None
    return found


def region(found: Coverage, name: str) -> Segment:
    return next(s for s in found.segments if (s.kind, s.name) == ("region", name))


@pytest.mark.parametrize(
    ("share", "holds"), [(0.87, False), (0.88, True), (0.92, True), (0.93, False)]
)
def test_the_whole_holds_between_88_and_92_percent(share: float, holds: bool) -> None:
    assert judged(market(100, share)).holds == holds


@pytest.mark.parametrize(
    ("share", "holds"), [(0.86, False), (0.87, True), (0.93, True), (0.94, False)]
)
def test_a_large_segment_holds_between_87_and_93_percent(share: float, holds: bool) -> None:
    found = region(judged(market(1_000, share, region="r")), "r")

    assert (found.holds, found.p_value) == (holds, None)


def test_a_small_segment_that_is_far_off_fails_and_the_others_hold() -> None:
    outcomes = [o for n in range(20) for o in market(100, 0.9, region=f"r-{n}")]
    found = judged([*outcomes, *market(100, 0.6, region="bad")])

    assert [s.name for s in found.segments if s.kind == "region" and not s.holds] == ["bad"]


def test_chance_among_many_small_segments_is_no_fault() -> None:
    draw = random.Random(3)
    outcomes = [sold(draw.random() < 0.9, region=f"r-{n}") for n in range(100) for _ in range(50)]
    found = judged(outcomes)
    p_values = [s.p_value for s in found.segments if s.p_value is not None]

    assert min(p_values) < 0.05  # one alone would have been taken for a fault
    assert all(s.holds for s in found.segments if s.kind == "region")


def test_bands_are_of_the_predicted_price() -> None:
    by_sale = [
        sold(sale > 95, price=100.0 + place % 5, sale_price=sale)
        for place, sale in enumerate([100.0, 80.0] * 50)
    ]
    bands = [s for s in judged(by_sale).segments if s.kind == "price band"]

    assert [s.rows for s in bands] == [20] * 5
    assert [s.coverage for s in bands] == [0.5] * 5


def test_what_has_no_interval_is_not_judged() -> None:
    without = sold(True, price_low=None, price_high=None)

    assert coverage.judge([without], criteria.shipped()) is None
    assert judged([sold(True), without]).rows == 1


def test_the_verdict_is_told_in_words() -> None:
    lines = list(judged(market(1_000, 0.8, region="r", property_type="house")).lines())

    assert lines[:3] == [
        "overall: 80.0% of n = 1,000, FAILS",
        "region r: 80.0% of n = 1,000, FAILS",
        "type house: 80.0% of n = 1,000, FAILS",
    ]
    assert "region: 0 of 1 hold; 1 large, 80.0% to 80.0%" in lines
