"""The rolling conformal quantile, and the scale of a region."""

import math

import pytest

from stream_app.core.region import Decayed
from stream_app.scoring import interval
from stream_app.scoring.interval import decayed_add, quantile


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.1, 90.0, math.nan])
def test_a_coverage_that_is_no_share_is_refused(coverage: float) -> None:
    with pytest.raises(ValueError, match=f"coverage is {coverage}, must lie between 0 and 1"):
        quantile([0.1], coverage)


@pytest.mark.parametrize(
    ("n", "told"), [(0, False), (8, False), (9, True)], ids=["none", "one too few", "just enough"]
)
def test_nothing_is_promised_below_nine_scores(n: int, told: bool) -> None:
    assert (quantile([1.0] * n) is not None) is told


def test_the_quantile_of_nine_is_the_largest() -> None:
    assert quantile([0.5, 0.9, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8]) == 0.9


def test_a_higher_coverage_is_wider() -> None:
    scores = [n / 100 for n in range(100)]

    assert [quantile(scores, coverage) for coverage in (0.5, 0.8, 0.9)] == [0.5, 0.8, 0.9]


def test_an_error_weighs_half_after_a_half_life() -> None:
    mean = Decayed()
    decayed_add(mean, 1.0)

    for _ in range(interval.SCALE_HALF_LIFE):
        decayed_add(mean, 0.0)

    assert mean.total == pytest.approx(0.5)


def test_a_region_without_labels_has_the_scale_of_its_market() -> None:
    assert interval.scale(Decayed(), 0.1) == pytest.approx(0.1)


def test_twenty_labels_of_its_own_count_as_much_as_the_market() -> None:
    assert interval.scale(Decayed(total=20 * 0.3, weight=20.0), 0.1) == pytest.approx(0.2)


def test_a_region_that_is_never_wrong_keeps_a_scale() -> None:
    assert interval.scale(Decayed(total=0.0, weight=144.0), 0.1) > 0
