"""Rows parted by time: older ones to train on, newer ones to judge by.

What is known at a boundary is what was *sold* before it; what it must be judged
on was *listed* after it. A home on the market across the boundary is on neither
side: that is the gap for the delay of labels. A home (not merely a listing) that
is in the older part is taken out of the newer one, where the market publishes
which home it is.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from offline.dataset import Dataset

NEWER_SHARE = 0.25  # of the rows, before those across the boundary are taken out
# Ten rows per feature, and what an interval needs, are the least that says anything.
OLDER_ROWS_MIN = 400
NEWER_ROWS_MIN = 30


class NotEnough(Exception):
    """Too few rows, or none on one side: no model can be made of these data."""


class Split(NamedTuple):
    """Two parts without overlap."""

    older: NDArray[np.bool_]
    newer: NDArray[np.bool_]
    boundary_ms: int


def forward(
    dataset: Dataset, newer_share: float = NEWER_SHARE, older_min: int = OLDER_ROWS_MIN
) -> Split:
    """Part the rows where the newest `newer_share` of the sales begins.

    Raises
    ------
    NotEnough : says how many rows there are and how many it takes
    """
    if len(dataset) < older_min + NEWER_ROWS_MIN:
        raise NotEnough(
            f"{dataset.market}: {len(dataset)} sold homes, "
            f"at least {older_min + NEWER_ROWS_MIN} are needed"
        )
    boundary_ms = int(np.quantile(dataset.sold_ms, 1 - newer_share, method="lower"))
    older = dataset.sold_ms < boundary_ms
    newer = dataset.listed_ms >= boundary_ms
    newer &= ~(np.isin(dataset.home_id, dataset.home_id[older]) & (dataset.home_id != ""))
    split = Split(older, newer, boundary_ms)
    refuse(dataset, split, older_min)
    return split


def refuse(dataset: Dataset, split: Split, older_min: int = OLDER_ROWS_MIN) -> None:
    """Raise if the parts overlap, in rows, time or homes, or are too small.

    Raises
    ------
    ValueError : the parts overlap; somebody shuffled
    NotEnough : a part has too few rows
    """
    older, newer = dataset.take(split.older), dataset.take(split.newer)
    if np.any(split.older & split.newer) or (
        len(older) and len(newer) and older.sold_ms.max() > newer.listed_ms.min()
    ):
        raise ValueError(
            "parts overlap: a home was listed in the newer part before a sale of the older"
        )
    shared = np.intersect1d(older.home_id[older.home_id != ""], newer.home_id)
    if shared.size:
        raise ValueError(f"parts overlap: home {shared[0]} and {shared.size - 1} more are in both")
    for name, part, least in (
        ("sold before", older, older_min),
        ("listed after", newer, NEWER_ROWS_MIN),
    ):
        if len(part) < least:
            raise NotEnough(
                f"{dataset.market}: {len(part)} homes {name} the boundary, {least} are needed"
            )
