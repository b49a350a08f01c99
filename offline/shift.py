"""How far apart the two parts of a split are: what changed between training and judging.

A shift is no fault: markets move. It says how much of a holdout's error may be
the market's doing.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from offline.dataset import Dataset
from offline.splits import SAME_SALE, without_duplicates
from offline.train import Candidate
from stream_app.core.features import CATEGORICAL, NAMES

BINS = 10  # of equal counts in the older part
SHIFTED_PSI = 0.2  # the customary limit of a population stability index


class Shift(Struct, frozen=True):
    """One column. Null is a measure that does not fit its kind, or has nothing to measure."""

    feature: str
    older: int  # known values
    newer: int
    psi: float | None  # population stability index; unknown is a bin of its own
    smd: float | None  # difference of means in standard deviations of the older part
    total_variation: float | None  # of categories: 0 the same shares, 1 nothing in common


class Parts(Struct, frozen=True):
    """What a split made of a data set."""

    rows: int
    duplicates: int  # taken out first
    older: int
    newer: int
    left_out: int  # on the market across the boundary, or a home that is in the older part
    # Share of the newer homes that resemble an older one in all that tells flats apart.
    look_alikes: float
    shifted: tuple[str, ...]  # columns beyond `SHIFTED_PSI`, most first
    shifts: tuple[Shift, ...]


def report(dataset: Dataset, candidate: Candidate) -> Parts:
    """Describe what the training made of its data set."""
    dataset = without_duplicates(dataset)
    duplicates = dataset.counts.get(SAME_SALE, 0)
    older, newer = candidate.older, candidate.holdout
    shifts = compare(older, newer)
    far = [s for s in shifts if s.psi is not None and s.psi > SHIFTED_PSI]
    return Parts(
        rows=len(dataset) + duplicates,
        duplicates=duplicates,
        older=len(older),
        newer=len(newer),
        left_out=len(dataset) - len(older) - len(newer),
        look_alikes=float(np.isin(_looks(newer), _looks(older)).mean()),
        shifted=tuple(s.feature for s in sorted(far, key=lambda s: -(s.psi or 0.0))),
        shifts=shifts,
    )


def compare(older: Dataset, newer: Dataset) -> tuple[Shift, ...]:
    """Measure each feature that is known somewhere, and the label."""
    found = [
        _category(name, older.rows[:, place], newer.rows[:, place])
        if name in CATEGORICAL
        else _number(name, older.rows[:, place], newer.rows[:, place])
        for place, name in enumerate(NAMES)
        if not np.isnan(older.rows[:, place]).all() or not np.isnan(newer.rows[:, place]).all()
    ]
    return (*found, _number("log_price", older.log_price, newer.log_price))


def psi(older: NDArray[np.float64], newer: NDArray[np.float64]) -> float:
    """Population stability index over shares of bins; NaN has a bin of its own.

    >>> same = np.arange(100.0)
    >>> round(psi(same, same), 6), psi(same, same + 50) > 1
    (0.0, True)
    """
    known = older[~np.isnan(older)]
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.unique(np.quantile(known, inner)) if known.size else np.array([])

    def shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
        place = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values))
        counts = np.bincount(place, minlength=len(edges) + 2) + 0.5  # no share is 0
        share: NDArray[np.float64] = counts / counts.sum()
        return share

    before, after = shares(older), shares(newer)
    return float(((after - before) * np.log(after / before)).sum())


def total_variation(older: NDArray[np.float64], newer: NDArray[np.float64]) -> float:
    """Half the sum of the differences of shares.

    >>> total_variation(np.array([1.0, 1.0]), np.array([1.0, 2.0]))
    0.5
    """
    codes = np.unique(np.concatenate([older, newer]))
    before, after = (
        np.bincount(np.searchsorted(codes, v), minlength=len(codes)) / max(len(v), 1)
        for v in (older, newer)
    )
    return float(np.abs(before - after).sum() / 2)


def _number(name: str, older: NDArray[np.float64], newer: NDArray[np.float64]) -> Shift:
    before, after = older[~np.isnan(older)], newer[~np.isnan(newer)]
    deviation = float(before.std()) if before.size else 0.0
    measurable = deviation > 0 and after.size > 0
    smd = float((after.mean() - before.mean()) / deviation) if measurable else None
    return Shift(name, before.size, after.size, psi(older, newer), smd, None)


def _category(name: str, older: NDArray[np.float64], newer: NDArray[np.float64]) -> Shift:
    before, after = older[~np.isnan(older)], newer[~np.isnan(newer)]
    return Shift(name, before.size, after.size, None, None, total_variation(before, after))


def _looks(part: Dataset) -> NDArray[np.str_]:
    """What tells flats apart where no id does: see splits.py."""
    names = ("home_street_code", "home_model_code", "home_region_code", "home_floor")
    built = np.round(1970 + part.listed_ms / 31_556_952_000 - _of(part, "home_age_years"))
    columns = [*(_of(part, name) for name in names), np.round(part.area_m2, 1), built]
    return np.array(["|".join(map(str, row)) for row in np.column_stack(columns)])


def _of(part: Dataset, name: str) -> NDArray[np.float64]:
    return part.rows[:, NAMES.index(name)]
