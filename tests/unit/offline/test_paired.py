"""A gain is told from chance, in blocks of time, on the same homes."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from offline import criteria, paired
from offline.paired import Floats, Gain

HOMES, WEEKS = 600, 30
WEEK = np.arange(HOMES) % WEEKS
ALL = np.ones(HOMES, dtype=np.bool_)
BEFORE = np.random.default_rng(0).uniform(0.05, 0.2, HOMES)
Weeks = NDArray[np.int64]
Judge = Callable[[Floats, Floats, Weeks], Gain]


def by_week(before: Floats, after: Floats, week: Weeks = WEEK) -> Gain:
    (found,) = paired.gains(before, after, week, [ALL], resamples=400, seed=0)
    return found


def by_home(before: Floats, after: Floats, week: Weeks) -> Gain:
    """Planted: every home its own block, as if a week did not move all of its homes."""
    del week
    (found,) = paired.gains(before, after, np.arange(HOMES), [ALL], resamples=200, seed=0)
    return found


def test_what_is_half_as_far_off_gains_half() -> None:
    found = by_week(BEFORE, BEFORE / 2)

    assert found.value == pytest.approx(0.5)
    assert (found.rows, found.p_no_better, found.p_no_worse) == (HOMES, 1 / 401, 1.0)


def test_the_same_answers_gain_nothing() -> None:
    assert by_week(BEFORE, BEFORE) == Gain(HOMES, 0.0, 1.0, 1.0)


def test_the_same_seed_gives_the_same_figures() -> None:
    assert by_week(BEFORE, BEFORE[::-1]) == by_week(BEFORE, BEFORE[::-1])


def test_groups_are_judged_apart() -> None:
    ruined = np.arange(HOMES) % 7 == 0
    before = np.full(HOMES, 0.1)
    after = np.where(ruined, 0.2, 0.09)

    _, of_ruined, of_rest = paired.gains(
        before, after, WEEK, [ALL, ruined, ~ruined], resamples=400, seed=0
    )

    assert of_ruined.value == pytest.approx(-1.0)
    assert of_rest.value == pytest.approx(0.1)
    assert of_ruined.p_no_worse == 1 / 401


def passed_by_chance(judge: Judge, seeds: int, weeks: int = WEEKS) -> float:
    """How often p < 0.05 for a challenger that is no better, in markets whose weeks differ."""
    draw = np.random.default_rng(5)
    week, passed = np.arange(HOMES) % weeks, 0
    for _ in range(seeds):
        moved = draw.normal(0, 0.04, weeks)[week]  # what a week does to all its homes alike
        before = draw.uniform(0.05, 0.2, HOMES)
        after = before + moved + draw.normal(0, 0.05, HOMES)
        passed += judge(before, after, week).p_no_better < 0.05
    return passed / seeds


def test_a_challenger_that_is_no_better_looks_better_in_a_twentieth_of_all_markets() -> None:
    assert 0.02 < passed_by_chance(by_week, 300) < 0.09


def test_the_fewest_weeks_that_the_gate_takes_are_hardly_surer_than_they_should_be() -> None:
    assert passed_by_chance(by_week, 300, criteria.shipped().blocks_min) < 0.11


def test_homes_taken_one_by_one_are_caught_as_too_sure() -> None:
    assert passed_by_chance(by_home, 60) > 0.15
