"""A level that moves is told once, with how far and since when; noise is not."""

import math
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitoring.detectors.finding import Cause, Finding, Labelled
from monitoring.detectors.level import CLIPPED, LevelTest, LevelWatch, Side

DAY_MS = 86_400_000
SHOCK_AT = 600
SHOCK_LOG = math.log(1.1)


def stream(count: int, seed: int, shock_log: float = 0.0) -> list[Labelled]:
    """Errors of spread 0.17, as King County's, in ten regions, one an hour."""
    draw = random.Random(seed)
    return [
        Labelled(
            "king-county",
            f"kc-{n % 10}",
            n * DAY_MS // 24,
            draw.gauss(0.01, 0.17) + (shock_log if n >= SHOCK_AT else 0.0),
        )
        for n in range(count)
    ]


def found(rows: Sequence[Labelled]) -> list[tuple[int, Finding]]:
    watch = LevelWatch()
    return [(number, each) for number, row in enumerate(rows) for each in watch.update(row)]


@pytest.mark.parametrize("shock_log", [SHOCK_LOG, -SHOCK_LOG], ids=["up", "down"])
def test_a_shock_of_ten_percent_is_told_within_200_labels(shock_log: float) -> None:
    number, first = found(stream(1_200, seed=1, shock_log=shock_log))[0]

    assert SHOCK_AT < number <= SHOCK_AT + 200
    assert (first.cause, first.segment) == (Cause.PRICE_LEVEL, None)
    assert first.value - first.baseline == pytest.approx(shock_log, abs=0.05)
    assert abs(first.since_ms - SHOCK_AT * DAY_MS // 24) < 6 * DAY_MS
    assert ("above" if shock_log > 0 else "below") in first.likely


def test_a_shock_is_told_once_and_the_new_level_is_the_next_baseline() -> None:
    of_market = [each for _, each in found(stream(3_000, 1, SHOCK_LOG)) if each.segment is None]

    assert len(of_market) == 1


def test_ten_quiet_streams_of_two_months_tell_nothing() -> None:
    assert [each for seed in range(10) for each in found(stream(1_500, seed))] == []


def test_a_shock_in_one_region_names_it() -> None:
    rows = [
        Labelled(r.market, r.region, r.sold_ms, r.error_log + 0.25 * (r.region == "kc-3"))
        if n >= 1_000
        else r
        for n, r in enumerate(stream(1_500, seed=3))
    ]

    assert {each.segment for _, each in found(rows)} == {"region=kc-3"}


def test_a_kind_of_home_that_moves_alone_is_named() -> None:
    rows = [
        replace(row, error_log=row.error_log - 0.2, property_type="executive")
        if n % 12 == 0 and n >= 1_200
        else replace(row, property_type="executive" if n % 12 == 0 else "4 room")
        for n, row in enumerate(stream(2_400, seed=3))
    ]

    assert {each.segment for _, each in found(rows)} == {"type=executive"}


def test_a_typing_error_of_a_zero_is_no_market() -> None:
    rows = stream(1_200, seed=4)
    rows[700] = Labelled("king-county", "kc-0", rows[700].sold_ms, math.log(10))

    assert found(rows) == []


def test_errors_that_are_all_the_same_break_nothing() -> None:
    assert found([Labelled("hdb", "a", n, 0.0) for n in range(500)]) == []


def brute_force(steps: Sequence[float]) -> float:
    """How high the sum of the steps stands over its lowest point."""
    sums = [sum(steps[:n]) for n in range(len(steps) + 1)]
    return max(sums[-1] - low for low in sums)


def check_side(add: Callable[[Side, float], None]) -> None:
    @settings(derandomize=True, database=None, deadline=None, max_examples=50)
    @given(st.lists(st.integers(-3, 3), max_size=30))
    def height_is_that_over_the_lowest_point(steps: list[int]) -> None:
        side = Side()
        for step in steps:
            add(side, step)
        assert side.height == brute_force(steps)

    height_is_that_over_the_lowest_point()


def test_a_side_stands_as_high_as_its_sum_over_the_lowest_point() -> None:
    check_side(lambda side, step: side.add(step, 0.0, 0))


def test_the_law_catches_a_side_that_never_comes_down() -> None:
    def stubborn(side: Side, step: float) -> None:
        side.add(max(step, 0), 0.0, 0)

    with pytest.raises(AssertionError):
        check_side(stubborn)


def test_regions_without_end_fill_no_memory() -> None:
    watch = LevelWatch(part=LevelTest(2, 0.5, CLIPPED))
    for n in range(3_000):
        watch.update(Labelled("hdb", f"r-{n}", n, 0.1))

    assert len(watch._levels) <= 1_001
