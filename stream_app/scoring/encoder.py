"""Codes of categories to the numbers that a model was trained with. Vectorised.

What the numbers are is fitted offline and stands in the champion's manifest.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

# Between the codes of two columns in one table; a code is below 2 ** 32 (core/features.py).
_APART = 2.0**40


class Codes:
    """The known codes of some columns, looked up in one table.

    Parameters
    ----------
    known : place of a column -> its codes, rising; NaN is none

    Examples
    --------
    >>> at, is_known = Codes({1: [7.0], 2: [3.0, 7.0]}).find(np.array([[60.0, 7.0, np.nan]]))
    >>> at, is_known
    (array([[0, 3]]), array([[ True, False]]))
    """

    def __init__(self, known: Mapping[int, Sequence[float]]) -> None:
        self.places = list(known)
        self._shifts = np.arange(len(known)) * _APART
        shifted = [np.array(codes) + n * _APART for n, codes in enumerate(known.values())]
        # NaN sorts behind all, so that whatever is asked for has a place in the table.
        self._table = np.concatenate([*shifted, [np.nan]])

    def find(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Of rows, shape (n, features): places in the table, and whether it is that very code.

        Both of shape (n, columns). A code that is not known has the place of the next one.
        """
        wanted = rows[:, self.places] + self._shifts
        at = self._table.searchsorted(wanted)
        return at, self._table[at] == wanted


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
        columns = sorted(numbers)
        rising = [
            sorted((float(code), to) for code, to in numbers[name].items()) for name in columns
        ]
        places = [names.index(name) for name in columns]
        self._codes = Codes(
            {
                place: [code for code, _ in pairs]
                for place, pairs in zip(places, rising, strict=True)
            }
        )
        # The last one is that of no code.
        self._numbers = np.array([*(to for pairs in rising for _, to in pairs), np.nan])
        self._defaults = np.array([defaults[name] for name in columns])

    def __call__(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """A copy of the rows, shape (n, features), with numbers for codes."""
        encoded = np.array(rows, dtype=np.float64)
        at, known = self._codes.find(encoded)
        encoded[:, self._codes.places] = np.where(known, self._numbers[at], self._defaults)
        return encoded
