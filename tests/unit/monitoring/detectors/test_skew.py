"""A champion that is far from its holdout is told with its first sales, and once."""

import random
from collections.abc import Iterator, Sequence

import pytest

from monitoring.detectors.finding import Cause, Finding
from monitoring.detectors.skew import LABELS, SkewWatch


def errors(count: int, spread: float, seed: int = 1) -> Iterator[float]:
    draw = random.Random(seed)
    return (draw.gauss(0, spread) for _ in range(count))


def told(holdout: Sequence[float], spread: float, seed: int = 2) -> list[Finding]:
    watch = SkewWatch(holdout)
    live = errors(3 * LABELS, spread, seed)
    return [f for day, error in enumerate(live) for f in watch.update("hdb", day, error)]


HOLDOUT = [abs(error) for error in errors(500, 0.1)]


def test_errors_half_as_large_again_are_told_once_at_the_last_label_that_is_needed() -> None:
    (found,) = told(HOLDOUT, 0.15)

    assert (found.cause, found.n, found.seen_ms) == (Cause.SKEW, LABELS, LABELS - 1)
    assert found.value > 1.25 * found.baseline


@pytest.mark.parametrize("seed", range(2, 12))
def test_a_champion_as_good_as_its_holdout_is_not_told(seed: int) -> None:
    assert told(HOLDOUT, 0.1, seed) == []


def test_one_that_is_far_better_than_its_holdout_is_told_as_a_leak() -> None:
    (found,) = told(HOLDOUT, 0.05)

    assert found.value < 0.75 * found.baseline
    assert "tells the sale" in found.likely


@pytest.mark.parametrize("seed", range(2, 12))
def test_one_that_is_a_fifth_better_is_not_told(seed: int) -> None:
    assert told(HOLDOUT, 0.08, seed) == []


def test_without_a_holdout_nothing_is_known() -> None:
    assert told([], 0.3) == told([0.1], 0.3) == []
