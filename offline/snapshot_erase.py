"""Takes the rows of erased listings out of the snapshots below a folder.

A snapshot is never written again: what is left of one is a snapshot of its own, with a version of
its own, and the old one goes. So none passes for what it was, and a model that was trained on the
old one no longer finds its data, which is the truth. The new one stands before the old one goes:
if this ends in between, the next run finds the old one again.
"""

import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from offline import snapshot
from offline.collector import ERASED
from offline.snapshot import DESCRIPTION, MAKING, Snapshot, SnapshotRefused
from stream_app.core.features import FEATURE_SET

_GOING = ".erased-"  # begins the name of a folder on its way out


class Reached(Struct, frozen=True):
    """A snapshot that held a row of an erased listing."""

    snapshot: str
    rows_erased: int
    rows_left: int
    instead: str | None  # the snapshot of what is left; None: there is none


def left_over(root: Path) -> list[Path]:
    """What killed runs left below `root`: rows that nobody finds, and that may be erased ones."""
    return sorted(path for begin in (_GOING, MAKING) for path in root.rglob(f"{begin}*"))


def erase(root: Path, listing_ids: Collection[str], *, dry_run: bool = False) -> list[Reached]:
    """Erase these listings from every snapshot below `root`; give those that held one.

    One of another feature set than this program has cannot be made anew: it goes whole. So does
    what killed runs left over; a `make` that runs meanwhile fails.

    Raises
    ------
    SnapshotRefused : some are not what they say, and are named; it is raised when all others are done
    """
    reached, refused = [], []
    if not dry_run:
        for path in left_over(root):
            shutil.rmtree(path)
    for folder in _folders(root):
        try:
            reached.append(_erase_one(folder, listing_ids, dry_run=dry_run))
        except SnapshotRefused as error:
            refused.append(str(error))
    if refused:
        raise SnapshotRefused("; ".join(refused) + ": may hold them yet, which holds up no other")
    return [one for one in reached if one is not None]


def _folders(root: Path) -> list[Path]:
    """Those that are whole: what is left over begins with a dot."""
    found = (path.parent for path in root.rglob(DESCRIPTION))
    return sorted(
        folder
        for folder in found
        if not any(part.startswith(".") for part in folder.relative_to(root).parts)
    )


def _erase_one(folder: Path, listing_ids: Collection[str], *, dry_run: bool) -> Reached | None:
    made, found = snapshot.columns(folder)
    gone = np.isin(found["listing_id"], list(listing_ids))
    rows = int(gone.sum())
    if not rows:
        return None
    left = made.rows - rows if made.feature_set == FEATURE_SET else 0
    if dry_run:
        return Reached(str(folder), rows, left, None)
    instead = str(_without(folder, made, ~gone)) if left else None
    going = folder.with_name(f"{_GOING}{folder.name}")
    folder.rename(going)
    shutil.rmtree(going)
    return Reached(str(folder), rows, left, instead)


def _without(folder: Path, made: Snapshot, kept: NDArray[np.bool_]) -> Path:
    """Make the snapshot of what is left of one, with what was erased counted."""
    data = snapshot.load(folder)[1]
    gone = len(data) - int(kept.sum())
    whence = f"less {gone} erased rows of {made.version}, data {made.data_sha256}"
    request = msgspec.structs.replace(made.request, made_by=f"{made.request.made_by}; {whence}")
    counts = {**data.counts, ERASED: data.counts.get(ERASED, 0) + gone}
    return snapshot.make(folder.parent, replace(data.take(kept), counts=counts), request)[0]
