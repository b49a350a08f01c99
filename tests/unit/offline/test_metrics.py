"""Figures of prices, by hand."""

import numpy as np
import pytest

from offline.metrics import Figures, judge

SOLD = np.array([100.0, 100.0, 200.0, 400.0])
NAN = np.nan


def test_figures_are_those_of_a_pocket_calculator() -> None:
    figures = judge(np.array([110.0, 80.0, 200.0, 520.0]), SOLD, np.array([1.0, 0.0, 1.0, NAN]))

    assert figures.rows == 4
    assert figures.mae == pytest.approx((10 + 20 + 0 + 120) / 4)
    assert figures.mdape == pytest.approx(0.15)
    assert figures.bias == pytest.approx(0.05)
    assert figures.within_10 == pytest.approx(0.5)
    assert figures.coverage_90 == pytest.approx(2 / 3)


def test_prices_not_given_are_not_judged() -> None:
    assert judge(np.array([NAN, 100.0, NAN, NAN]), SOLD).rows == 1


def test_nothing_given_is_unknown_and_not_zero() -> None:
    nothing = np.full(4, NAN)

    assert judge(nothing, SOLD, nothing) == Figures(0, None, None, None, None)
    assert judge(SOLD, SOLD, nothing).coverage_90 is None
