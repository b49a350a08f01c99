"""Forward-chaining folds: each trains on all that was sold before, and judges what came next.

The gap of a single split (splits.py) lies between the parts of each fold, so no label is
known before it was. A home is judged in one fold at most.
"""

from itertools import pairwise

import numpy as np

from offline import splits
from offline.dataset import Dataset
from offline.splits import NotEnough, Split

# The first fold trains on the older half: with less, King County's half year has no spring.
FIRST_SHARE = 0.5


def forward(dataset: Dataset, folds: int, older_min: int = splits.OLDER_ROWS_MIN) -> list[Split]:
    """Part the newer half of the sales into `folds` spans of equal numbers of sales.

    Raises
    ------
    NotEnough : a fold has too few rows on a side; ask for fewer folds
    """
    if not len(dataset):
        raise NotEnough(f"{dataset.market}: no home was sold")
    shares = np.linspace(FIRST_SHARE, 1.0, folds + 1)
    bounds = [splits.sold_by(dataset, float(share)) for share in shares]
    return [
        splits.at(dataset, begins_ms, ends_ms, older_min) for begins_ms, ends_ms in pairwise(bounds)
    ]
