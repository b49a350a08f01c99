"""Laws that a champion keeps, with models that break them."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from stream_app.contract.models import GoldenRow
from stream_app.scoring import checks

Predict = Callable[[NDArray[np.float64]], NDArray[np.float64]]

GOLDEN = (GoldenRow((1.0, 2.0), 3.0), GoldenRow((4.0, None), 4.0))


class Model:
    """A model made of a function."""

    def __init__(self, predict: Predict) -> None:
        self._predict = predict

    def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._predict(rows)


def total(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    summed: NDArray[np.float64] = np.nansum(rows, axis=1)
    return summed


def test_golden_rows_hold_to_the_bit() -> None:
    assert checks.golden_rows_failure(Model(total), GOLDEN, exact=True) is None


@pytest.mark.parametrize(
    ("exact", "off_by", "fails"),
    [(True, 1e-15, True), (False, 1e-12, False), (False, 1e-6, True), (False, np.nan, True)],
    ids=["exact", "within tolerance", "beyond it", "no number"],
)
def test_how_far_golden_rows_may_be_off(exact: bool, off_by: float, fails: bool) -> None:
    failure = checks.golden_rows_failure(
        Model(lambda rows: total(rows) * (1 + off_by)), GOLDEN, exact=exact
    )

    assert (failure is not None) is fails


def test_the_first_wrong_golden_row_is_named() -> None:
    model = Model(lambda rows: np.array([3.0, 5.0]))

    failure = checks.golden_rows_failure(model, GOLDEN, exact=True)

    assert failure == (
        "1 of 2 golden rows differ, first row 1: np.float64(5.0) instead of np.float64(4.0)"
    )


def test_no_golden_rows_prove_nothing() -> None:
    assert checks.golden_rows_failure(Model(total), (), exact=True) == "no golden rows"


def test_a_sum_by_row_is_the_same_in_any_batch() -> None:
    assert checks.batch_size_failure(Model(total), np.eye(3)) is None


@pytest.mark.parametrize(
    "predict",
    [
        lambda rows: total(rows) + (len(rows) == 1) * 1e-15,
        lambda rows: total(rows) + (len(rows) > 100) * 1e-15,
        lambda rows: total(rows) * np.nan,
    ],
    ids=["alone", "in a large batch", "no number"],
)
def test_other_bits_in_another_batch_are_found(predict: Predict) -> None:
    failure = checks.batch_size_failure(Model(predict), np.eye(3))

    assert failure == "other bits in another batch size"
