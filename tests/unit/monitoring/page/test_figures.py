"""Sums over any stretch equal those of its days; unknown is None."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.page import figures
from monitoring.page.figures import Stretch, Sums
from monitoring.rollup import SERVED, Day
from stream_app.contract.spans import DAY_MS
from tests.unit.monitoring.page import states
from tests.unit.monitoring.page.states import FIRST, WALL_MS

YEAR = Sums(states.days(365))


@settings(derandomize=True, database=None, max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=3, max_size=20), st.data())
def test_a_sum_over_a_stretch_is_that_of_its_days(counts: list[int], data: st.DataObject) -> None:
    sums = Sums({FIRST + n: Day({"answer": 1, "x": count}) for n, count in enumerate(counts)})
    first = data.draw(st.integers(-3, len(counts)))
    end = data.draw(st.integers(first, len(counts) + 3))

    found = sums.sum("x", Stretch(FIRST + first, FIRST + end))

    assert found == sum(counts[max(first, 0) : max(end, 0)])


def test_what_is_not_there_is_none_and_not_zero() -> None:
    empty = Stretch(0, 10)

    assert figures.errors(YEAR, SERVED, empty) is None
    assert figures.share(YEAR, "interval", empty) is None
    assert figures.quantile(YEAR, "latency", empty, 0.5) is None
    assert figures.mean_log(YEAR, "listed", empty) is None
    assert figures.weighted_error(YEAR, SERVED, empty) is None
    assert Sums({}).axis == Stretch(0, 0)
    assert figures.last_label(Sums({})) is None


def test_errors_have_their_mean_bias_and_number() -> None:
    found = figures.errors(Sums(states.days(10, bias=0.05)), SERVED, Stretch(FIRST, FIRST + 2))

    assert found is not None
    assert found.n == 20
    assert found.mean_abs == pytest.approx(0.1)
    assert found.bias == pytest.approx(0.05)


def test_a_young_window_is_weighted_to_the_usual_ages() -> None:
    old = {"served.60d.n": 10, "served.60d.abs": 3_000_000}
    days = {FIRST: Day({"answer": 1, **old, "served.30d.n": 10, "served.30d.abs": 1_000_000})}
    days |= {FIRST + 1: Day({"answer": 1, "served.30d.n": 4, "served.30d.abs": 400_000})}
    days |= {FIRST + 2: Day({"answer": 1, **old, "served.30d.n": 1, "served.30d.abs": 100_000})}
    sums = Sums(days)

    assert figures.weighted_error(sums, SERVED, Stretch(FIRST + 1, FIRST + 2)) is None
    weighted = figures.weighted_error(sums, SERVED, Stretch(FIRST + 2, FIRST + 3))
    assert weighted == pytest.approx((15 * 0.1 + 20 * 0.3) / 35)


def test_one_absurd_date_does_not_stretch_the_axis() -> None:
    days = states.days(10)
    days[0] = Day({"answer": 1, "doubt.late": 1})
    days[FIRST + 4_000] = Day({"answer": 1, "doubt.time_jump": 1, "event.listing": 1})
    days[FIRST + 5_000] = Day({"interval.n": 1})
    sums = Sums(days)

    assert sums.axis == Stretch(FIRST, FIRST + 10)
    assert sums.outside("event") == 1


def test_sales_after_the_last_listing_belong_to_the_market() -> None:
    days = states.days(10)
    days[FIRST + 30] = Day({"interval.n": 3, "served.30d.n": 3})
    sums = Sums(days)

    assert sums.axis.end == FIRST + 31
    assert figures.last_label(sums) == FIRST + 30


def test_since_when_is_the_first_of_the_stretches_that_hold_without_a_gap() -> None:
    days = states.days(200)
    for number in range(150, 200):
        days[FIRST + number] = states.day(bias=0.2)
    sums = Sums(days)
    window = figures.newest(sums, 30)

    def is_high(stretch: Stretch) -> bool:
        found = figures.errors(sums, SERVED, stretch)
        return found is not None and found.bias > 0.05

    began = figures.since(sums, window, is_high)

    assert abs(began - (FIRST + 150)) <= 7 + 8  # a quarter of the window, and a step


def test_cuts_are_whole_days_without_hole() -> None:
    parts = figures.cuts(Stretch(0, 3_000), 120)

    assert len(parts) == 120
    assert [part.first for part in parts[1:]] == [part.end for part in parts[:-1]]


@pytest.mark.parametrize(
    ("at_ms", "placed"),
    [
        ((FIRST + 5) * DAY_MS + 7, (FIRST + 5) * DAY_MS + 7),
        ((FIRST - 5) * DAY_MS, None),
        (WALL_MS, (FIRST + 9) * DAY_MS),
        (WALL_MS - 20 * DAY_MS, None),
    ],
    ids=["the market's own", "before it", "the wall's, in a replay", "before the replay"],
)
def test_a_time_is_put_on_the_markets_axis(at_ms: int, placed: int | None) -> None:
    assert figures.on_axis_ms(Sums(states.days(10)), at_ms) == placed
