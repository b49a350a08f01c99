"""Rows parted by time: older ones to train on, newer ones to judge by.

What is known at a boundary is what was *sold* before it; what it must be judged
on was *listed* after it. A home on the market across the boundary is on neither
side: that is the gap for the delay of labels. A home (not merely a listing) that
is in the older part is taken out of the newer one, where the market publishes
which home it is.

Where it does not (HDB), nothing stands in for the home: street, flat model, floor,
area and year of completion together name 30,321 groups of 89,356 flats, and 77 % of
the newest quarter have a look-alike among the older. They are neighbours, not the
same home; without them only the unusual would be judged. Their share is reported
(shift.py). Nor are equal rows of such a market duplicates: they may be twin flats.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from offline.dataset import Dataset
from offline.faults import WrongInput
from stream_app.contract.counts import counted
from stream_app.core.features import NAMES

NEWER_SHARE = 0.25  # of the rows, before those across the boundary are taken out
# Ten rows per feature, and what an interval needs, are the least that says anything.
OLDER_ROWS_MIN = 10 * len(NAMES)
NEWER_ROWS_MIN = 30
# A region or type with fewer older sales is thin. King County's half years and HDB have at
# most 1.2 % of their newer homes in such; beyond 5 % the figures would speak for others.
THIN_ROWS = 30
THIN_SHARE_MAX = 0.05
EXAMPLES = 3
SAME_SALE = "row:same_sale"  # among the counts of what was dropped: accounts.py


class NotEnough(WrongInput):
    """Too few rows, or none on one side: no model can be made of these data."""


class KnownTooLate(WrongInput):
    """Rows that were made when their sale was known: they would know what they must tell."""


class Overlap(WrongInput):
    """The parts are not apart: whatever is judged on the newer would flatter."""


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
    boundary_ms = sold_by(dataset, 1 - newer_share)
    return at(dataset, boundary_ms, older_min=older_min)


def at(
    dataset: Dataset,
    boundary_ms: int,
    until_ms: int | None = None,
    older_min: int = OLDER_ROWS_MIN,
) -> Split:
    """Part the rows at a boundary; the newer were listed before `until_ms`, None: whenever.

    Raises
    ------
    NotEnough : a part has too few rows
    """
    older = dataset.sold_ms < boundary_ms
    newer = dataset.listed_ms >= boundary_ms
    if until_ms is not None:
        newer &= dataset.listed_ms < until_ms
    newer &= ~(np.isin(dataset.home_id, dataset.home_id[older]) & (dataset.home_id != ""))
    split = Split(older, newer, boundary_ms)
    refuse(dataset, split, older_min)
    return split


def sold_by(dataset: Dataset, share: float) -> int:
    """When so large a share of the homes was sold; a sale's own time, never one between two."""
    return int(np.quantile(dataset.sold_ms, share, method="lower"))


def without_duplicates(dataset: Dataset) -> Dataset:
    """One row per home, time of sale and price; the first listing's is kept.

    Only where the market publishes which home it is. The others are counted.
    """
    seen: set[tuple[str, int, float]] = set()
    sales = zip(dataset.home_id, dataset.sold_ms, dataset.log_price, strict=True)
    kept = np.ones(len(dataset), dtype=np.bool_)
    for place, (home, sold_ms, log_price) in enumerate(sales):
        sale = str(home), int(sold_ms), float(log_price)
        kept[place] = not home or sale not in seen
        seen.add(sale)
    if kept.all():
        return dataset
    dropped = dataset.counts.get(SAME_SALE, 0) + int((~kept).sum())
    return replace(dataset.take(kept), counts={**dataset.counts, SAME_SALE: dropped})


def refuse(dataset: Dataset, split: Split, older_min: int = OLDER_ROWS_MIN) -> None:
    """Raise if the parts overlap, in rows, time or homes, know too much, or are too small.

    Raises
    ------
    KnownTooLate : a row was made after its own sale
    Overlap : the parts overlap; somebody shuffled
    NotEnough : a part has too few rows
    """
    _refuse_known_too_late(dataset)
    older, newer = dataset.take(split.older), dataset.take(split.newer)
    _refuse_shared("listing", _listings(older), _listings(newer))
    if len(older) and len(newer):
        early = newer.listing_id[newer.listed_ms < older.sold_ms.max()]
        if early.size:
            raise Overlap(
                f"parts overlap: {early.size} of {len(newer)} homes were listed in the newer part "
                f"before a sale of the older: {_examples(early)}"
            )
    _refuse_shared("home", older.home_id, newer.home_id)
    for name, part, least in (
        ("sold before", older, older_min),
        ("listed after", newer, NEWER_ROWS_MIN),
    ):
        if len(part) < least:
            raise NotEnough(
                f"{dataset.market}: {len(part)} homes {name} the boundary, {least} are needed"
            )


def refuse_thin(dataset: Dataset, split: Split) -> None:
    """Raise if too many newer homes are of a region or type that hardly any older sale tells of.

    Raises
    ------
    NotEnough : says which, and how many
    """
    for name, column in (("regions", dataset.region), ("types", dataset.property_type)):
        older, newer = column[split.older], column[split.newer]
        thin = [str(s) for s in np.unique(newer) if (older == s).sum() < THIN_ROWS]
        homes = int(np.isin(newer, thin).sum())
        if homes > THIN_SHARE_MAX * len(newer):
            raise NotEnough(
                f"{dataset.market}: {homes} of {len(newer)} homes to judge by are of {len(thin)} "
                f"{name} with fewer than {THIN_ROWS} older sales, {THIN_SHARE_MAX:.0%} may be: "
                f"{_examples(thin)}"
            )


def _refuse_known_too_late(dataset: Dataset) -> None:
    """A listing must come before its sale, in time and in the log: what it saw was before both."""
    late = (dataset.listed_ms > dataset.sold_ms) | (dataset.listing_offset >= dataset.sale_offset)
    if late.any():
        raise KnownTooLate(
            f"{dataset.market}: {counted(int(late.sum()), 'row')} made when the sale was in the "
            f"log, and may know its price: {_examples(dataset.listing_id[late])}"
        )


def _listings(part: Dataset) -> NDArray[np.str_]:
    """A listing's id means something within its region."""
    return np.strings.add(np.strings.add(part.region, "/"), part.listing_id)


def _refuse_shared(what: str, older: NDArray[np.str_], newer: NDArray[np.str_]) -> None:
    shared = np.intersect1d(older[older != ""], newer)
    if shared.size:
        raise Overlap(f"parts overlap: {what}s in both: {shared.size} ({_examples(shared)})")


def _examples(found: Sequence[str] | NDArray[np.str_]) -> str:
    return ", ".join(map(str, found[:EXAMPLES])) + (", ..." if len(found) > EXAMPLES else "")
