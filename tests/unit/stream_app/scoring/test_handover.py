"""What a champion's announcement tells correctors to give back."""

import pytest

from stream_app.contract.models import Handover, SegmentShift
from stream_app.scoring.handover import given_back, handover


def shift(segment: str, homes: int, median_log: float) -> SegmentShift:
    return SegmentShift(segment=segment, homes=homes, median_log=median_log)


TOLD = (
    shift("", 40, 0.0),
    shift("region=a", 30, 0.2),
    shift("region=b", 10, 0.0),
    shift("property_type=house", 40, 0.1),
)


def test_the_market_gives_back_the_mean_of_all_homes_and_regions_what_they_differ_by() -> None:
    found = handover("v1", TOLD)

    assert found is not None
    assert found.replaces == "v1"
    assert found.market_log == pytest.approx(0.15)
    assert found.regions == pytest.approx({"a": 0.05, "b": -0.15})


@pytest.mark.parametrize(("replaces", "told"), [(None, TOLD), ("v1", TOLD[:1]), ("v1", ())])
def test_without_a_measurement_by_region_nothing_is_given_back(
    replaces: str | None, told: tuple[SegmentShift, ...]
) -> None:
    assert handover(replaces, told) is None


@pytest.mark.parametrize(
    ("intercept", "shift_log", "expected"),
    [
        (0.2, 0.15, 0.15),
        (0.2, 0.3, 0.2),
        (-0.2, -0.05, -0.05),
        (0.2, -0.1, 0.0),
        (0.0, 0.1, 0.0),
    ],
    ids=["all of the shift", "all that it has", "downwards", "another way", "nothing learned"],
)
def test_no_more_is_given_back_than_there_is(
    intercept: float, shift_log: float, expected: float
) -> None:
    assert given_back(intercept, shift_log) == expected


def test_a_handover_of_one_region_is_the_markets() -> None:
    assert handover("v1", TOLD[:2]) == Handover(replaces="v1", market_log=0.2, regions={"a": 0.0})
