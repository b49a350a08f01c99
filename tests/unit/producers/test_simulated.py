"""What is made up: its distribution, and that it depends on nothing but its key."""

import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.sources import hdb, king_county
from producers.sources.simulated import DaysOnMarket, draw, listed_ms, moment_ms

DAY_MS = 86_400_000


def test_draws_are_evenly_spread() -> None:
    draws = [draw(0, "test", f"home-{n}") for n in range(4_000)]

    assert statistics.mean(draws) == pytest.approx(0.5, abs=0.02)
    assert statistics.pstdev(draws) == pytest.approx(12**-0.5, abs=0.01)


@pytest.mark.parametrize(
    ("days", "median"), [(king_county.DAYS, 30), (hdb.DAYS, 45)], ids=["king-county", "hdb"]
)
def test_the_median_home_stays_about_as_long_as_documented(
    days: DaysOnMarket, median: float
) -> None:
    stays = [-listed_ms(0, days, 7, f"home-{n}") / DAY_MS for n in range(4_000)]

    assert statistics.median(stays) == pytest.approx(median, rel=0.05)
    assert min(stays) >= 3
    assert max(stays) <= 180


def test_another_seed_is_another_history() -> None:
    first, second = (listed_ms(0, hdb.DAYS, seed, "home-1") for seed in (0, 1))

    assert first != second


@settings(derandomize=True, database=None, deadline=None)
@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_any_share_is_within_the_limits(share: float) -> None:
    days = king_county.DAYS.quantile(share)

    assert 3 - 1e-6 <= days <= 180 + 1e-6


@settings(derandomize=True, database=None, deadline=None)
@given(st.integers(0, 2**63), st.text(max_size=20))
def test_any_draw_lies_between_0_and_1(seed: int, listing_id: str) -> None:
    assert 0 < draw(seed, "test", listing_id) < 1


def test_a_moment_lies_within_its_span() -> None:
    moments = [moment_ms((0, 10 * 60_000), 0, f"home-{n}") for n in range(200)]

    assert set(moments) == {minute * 60_000 for minute in range(10)}
