"""Prices are brought to the level of the newest sale: a shock whole, noise not at all."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from offline import level
from stream_app.contract.spans import DAY_MS

DAYS, SALES_A_DAY, NOISE = 300, 12, 0.1
SHOCK_LOG, SHOCK_DAY = 0.2, 250
DAY = np.repeat(np.arange(DAYS), SALES_A_DAY)
SOLD_MS = DAY * DAY_MS
REGION = np.resize(np.array(["a", "b", "c", "d"]), len(DAY))
SHOCKED = (REGION == "a") & (DAY >= SHOCK_DAY)
LAST_DAY = DAY == DAYS - 1

Moves = Callable[[NDArray[np.float64], NDArray[np.int64], NDArray[np.str_]], NDArray[np.float64]]


def noise(seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, NOISE, len(DAY))


def off_the_shock(moves: Moves) -> float:
    """How far the mean home sold well before a shock in one region is from where it belongs."""
    found = moves(noise() + np.where(SHOCKED, SHOCK_LOG, 0.0), SOLD_MS, REGION)
    before = DAY < SHOCK_DAY - 4 * level.WIDTH_DAYS
    wanted = np.where(REGION == "a", SHOCK_LOG, 0.0)
    return max(abs(float((found - wanted)[before & (name == REGION)].mean())) for name in "abcd")


def test_what_was_sold_before_a_shock_in_one_region_is_moved_by_it() -> None:
    assert off_the_shock(level.moves) < 0.25 * SHOCK_LOG


def moved_by_the_market_alone(
    residual_log: NDArray[np.float64], sold_ms: NDArray[np.int64], _: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Planted: all regions are taken for one."""
    return level.moves(residual_log, sold_ms, np.full(len(residual_log), "all"))


def test_a_shock_that_is_spread_over_all_regions_is_noticed() -> None:
    assert off_the_shock(moved_by_the_market_alone) > 0.5 * SHOCK_LOG


def noise_of_regions(moves: Moves) -> float:
    """How far regions differ in their moves where there is nothing but noise; mean of ten draws."""
    return float(np.mean([_apart(moves(noise(seed), SOLD_MS, REGION)) for seed in range(10)]))


def _apart(found: NDArray[np.float64]) -> float:
    return float(np.std([found[(DAY == SHOCK_DAY) & (name == REGION)].mean() for name in "abcd"]))


def test_noise_of_the_newest_days_hardly_sets_the_level_of_a_region() -> None:
    assert noise_of_regions(level.moves) < 0.005


def test_levels_that_take_noise_at_its_word_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level, "CHANCE_ERRORS", 0.0)

    assert noise_of_regions(level.moves) > 0.01


def test_the_newest_sales_are_where_they_were() -> None:
    found = level.moves(noise() + 0.001 * DAY, SOLD_MS, REGION)

    assert np.abs(found[LAST_DAY]).max() == 0.0


def test_a_rise_of_the_whole_market_moves_all_regions() -> None:
    found = level.moves((0.001 * DAY).astype(np.float64), SOLD_MS, REGION)

    # On the last day the smoothing looks back only, so it lags by a width or so.
    assert found[0] == pytest.approx(0.001 * DAYS, abs=0.001 * 2 * level.WIDTH_DAYS)


def test_a_region_that_sold_nothing_for_long_follows_the_market() -> None:
    silent = (REGION == "d") & (DAY >= 150)
    kept = ~silent

    found = level.moves((noise() + 0.2 * (DAY >= 200))[kept], SOLD_MS[kept], REGION[kept])

    assert found[(REGION[kept] == "d") & (DAY[kept] < 100)].mean() == pytest.approx(0.2, abs=0.03)


def test_sales_of_one_day_have_one_level() -> None:
    assert level.moves(noise()[:5], SOLD_MS[:5], REGION[:5]).tolist() == [0.0] * 5
