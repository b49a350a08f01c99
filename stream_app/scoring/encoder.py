"""Codes of categories to the numbers that a model was trained with. Vectorised.

What the numbers are is fitted offline and stands in the champion's manifest.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class _Column(NamedTuple):
    """One categorical column; codes ascend."""

    place: int
    codes: NDArray[np.float64]
    numbers: NDArray[np.float64]
    default: float


class Encoder:
    """Replaces codes by numbers; a code never seen, and NaN, by the column's default.

    Parameters
    ----------
    names : the columns of a row, in order
    numbers : column -> code as text -> number
    defaults : column -> number

    Examples
    --------
    >>> encode = Encoder(("area", "type"), {"type": {"7": 0.5}}, {"type": 0.1})
    >>> encode(np.array([[60.0, 7.0], [60.0, np.nan]]))
    array([[60. ,  0.5],
           [60. ,  0.1]])
    """

    def __init__(
        self,
        names: Sequence[str],
        numbers: Mapping[str, Mapping[str, float]],
        defaults: Mapping[str, float],
    ) -> None:
        self._columns = [
            _column(names.index(name), numbers[name], defaults[name]) for name in sorted(numbers)
        ]

    def __call__(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """A copy of the rows, shape (n, features), with numbers for codes."""
        encoded = np.array(rows, dtype=np.float64)
        for column in self._columns:
            codes = encoded[:, column.place]
            # NaN sorts after all: its place is clipped to the last code, which it does not equal.
            at = np.minimum(column.codes.searchsorted(codes), len(column.codes) - 1)
            known = column.codes[at] == codes
            encoded[:, column.place] = np.where(known, column.numbers[at], column.default)
        return encoded


def _column(place: int, numbers: Mapping[str, float], default: float) -> _Column:
    pairs = sorted((float(code), number) for code, number in numbers.items())
    pairs = pairs or [(np.nan, default)]  # a category that the market does not have
    codes, values = zip(*pairs, strict=True)
    return _Column(place, np.array(codes), np.array(values), default)
