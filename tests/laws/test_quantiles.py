"""The conformal quantile is the least score that keeps its promise, and none if none does."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.scoring.interval import quantile
from tests.laws.law import LAW, PLANTED

Quantile = Callable[[list[float], float], float | None]


def promises(score: float, scores: list[float], coverage: float) -> bool:
    """A new score, as likely in any place among these, is at most `score` often enough."""
    return sum(each <= score for each in scores) >= (len(scores) + 1) * coverage


def check_law(quantile_of: Quantile, how: settings = LAW) -> None:
    @how
    @given(
        st.lists(st.integers(0, 30).map(float), max_size=40),
        st.sampled_from([0.25, 0.5, 0.75, 0.875]),
    )
    def quantile_is_the_least_that_promises(scores: list[float], coverage: float) -> None:
        kept = [score for score in scores if promises(score, scores, coverage)]

        assert quantile_of(scores, coverage) == min(kept, default=None)

    quantile_is_the_least_that_promises()


def of_the_sample(scores: list[float], coverage: float) -> float | None:
    """Planted: the quantile of what was seen, which promises nothing of what comes."""
    return float(np.quantile(scores, coverage, method="inverted_cdf")) if scores else None


def one_too_wide(scores: list[float], coverage: float) -> float | None:
    """Planted: rounds the rank up twice."""
    rank = int((len(scores) + 1) * coverage) + 1
    return sorted(scores)[rank - 1] if rank <= len(scores) else None


def test_the_quantile_is_the_least_that_promises() -> None:
    check_law(quantile)


@pytest.mark.parametrize("planted", [of_the_sample, one_too_wide])
def test_the_law_of_quantiles_catches(planted: Quantile) -> None:
    with pytest.raises(AssertionError):
        check_law(planted, PLANTED)
