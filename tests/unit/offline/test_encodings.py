"""Categories become the smoothed mean of the rows trained on."""

import numpy as np
import pytest

from offline import encodings
from stream_app.core.features import CATEGORICAL, NAMES

TYPE = "home_type_code"


def rows_of(codes: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rows = np.full((len(codes), len(NAMES)), np.nan)
    rows[:, NAMES.index(TYPE)] = codes
    return rows


def test_a_category_lies_between_its_own_mean_and_that_of_all() -> None:
    codes = [7.0] * encodings.SMOOTHING_ROWS + [8.0] * encodings.SMOOTHING_ROWS
    values = np.array([2.0] * encodings.SMOOTHING_ROWS + [4.0] * encodings.SMOOTHING_ROWS)

    fitted = encodings.fit(rows_of(codes), values)

    assert fitted.numbers[TYPE] == {"7": pytest.approx(2.5), "8": pytest.approx(3.5)}


def test_what_is_not_known_gets_the_mean_of_all() -> None:
    fitted = encodings.fit(rows_of([7.0, np.nan]), np.array([1.0, 2.0]))

    assert fitted.defaults == dict.fromkeys(CATEGORICAL, 1.5)
    assert set(fitted.numbers[TYPE]) == {"7"}
    assert fitted.numbers["home_street_code"] == {}
