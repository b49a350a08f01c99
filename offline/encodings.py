"""Categories to numbers: the smoothed mean log price per m2 of the rows trained on.

scikit-learn's own categorical splits would pull a general-purpose callable into
the bundle, which no scorer should have to trust.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_app.core.features import CATEGORICAL, NAMES
from stream_app.scoring.encoder import Encoder

# A category of so many rows lies halfway between its own mean and that of all.
SMOOTHING_ROWS = 20


class Encodings(NamedTuple):
    """As a manifest holds them: feature -> code as text -> number, and what all others get."""

    numbers: dict[str, dict[str, float]]
    defaults: dict[str, float]

    def encoded(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """A copy of the rows with numbers for codes, as a scorer makes it."""
        return Encoder(NAMES, self.numbers, self.defaults)(rows)


def fit(rows: NDArray[np.float64], log_price_per_m2: NDArray[np.float64]) -> Encodings:
    """Fit to the rows to train on, and to no other: the mean of a category tells its labels."""
    overall = float(log_price_per_m2.mean())
    numbers = {
        name: _means(rows[:, NAMES.index(name)], log_price_per_m2, overall) for name in CATEGORICAL
    }
    return Encodings(numbers, dict.fromkeys(CATEGORICAL, overall))


def _means(
    codes: NDArray[np.float64], values: NDArray[np.float64], overall: float
) -> dict[str, float]:
    known = ~np.isnan(codes)
    found, place = np.unique(codes[known], return_inverse=True)
    counts = np.bincount(place, minlength=len(found))
    sums = np.bincount(place, weights=values[known], minlength=len(found))
    means = (sums + SMOOTHING_ROWS * overall) / (counts + SMOOTHING_ROWS)
    return {str(int(c)): float(m) for c, m in zip(found, means, strict=True)}
