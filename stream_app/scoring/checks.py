"""Laws that a champion keeps, or it does not serve. Looked at before each activation.

Each check gives what is wrong in words, or None. Not here: who made the model
and whether these are its bytes (champion.py).
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stream_app.contract.models import GoldenRow

# Other CPU features round the last bits otherwise; a wrong model is off by far more.
RELATIVE_TOLERANCE = 1e-9
# Larger than a micro-batch, and no multiple of a vector or a block of threads.
LARGE_BATCH = 517


class PredictsLog(Protocol):
    """What is checked."""

    def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]: ...


def matrix(rows: Sequence[Sequence[float | None]]) -> NDArray[np.float64]:
    """Feature rows as they stand on the wire, as a matrix; null becomes NaN.

    >>> matrix([(1.0, None)])
    array([[ 1., nan]])
    """
    return np.array(rows, dtype=np.float64)


def golden_rows_failure(
    model: PredictsLog, golden: Sequence[GoldenRow], *, exact: bool
) -> str | None:
    """The model says to its golden rows what it said when it was made.

    `exact`: to the bit; else, on other CPU features, within `RELATIVE_TOLERANCE`.
    """
    if not golden:
        return "no golden rows"
    wanted = np.array([row.log_price for row in golden])
    got = model.predict_log(matrix([row.features for row in golden]))
    tolerance = 0.0 if exact else RELATIVE_TOLERANCE
    # A comparison that NaN fails.
    wrong = ~(np.abs(got - wanted) <= tolerance * np.abs(wanted))
    if not wrong.any():
        return None
    first = int(np.argmax(wrong))
    return (
        f"{int(wrong.sum())} of {len(golden)} golden rows differ, first row {first}: "
        f"{got[first]!r} instead of {wanted[first]!r}"
    )


def batch_size_failure(model: PredictsLog, rows: NDArray[np.float64]) -> str | None:
    """The same bits for a row alone, with the others, and in a large batch."""
    together = model.predict_log(rows)
    alone = np.concatenate([model.predict_log(row[np.newaxis]) for row in rows])
    many = model.predict_log(np.resize(rows, (LARGE_BATCH, rows.shape[1])))
    same = np.array_equal(together, alone) and np.array_equal(
        many, np.resize(together, LARGE_BATCH)
    )
    return None if same else "other bits in another batch size"
