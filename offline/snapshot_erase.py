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

from offline import snapshot
from offline.collector import ERASED
from offline.snapshot import DESCRIPTION, Snapshot
from stream_app.core.features import FEATURE_SET

_GOING = ".erased-"  # begins the name of a folder on its way out


class Reached(Struct, frozen=True):
    """A snapshot that held a row of an erased listing."""

    snapshot: str
    rows_erased: int
    rows_left: int
    instead: str | None  # the snapshot of what is left; None: there is none


def erase(root: Path, listing_ids: Collection[str], *, dry_run: bool = False) -> list[Reached]:
    """Erase these listings from every snapshot below `root`; give those that held one.

    One of another feature set than this program has cannot be made anew: it goes whole.

    Raises
    ------
    SnapshotRefused : one is not what it says; those before it are done
    """
    if not dry_run:
        _clear(root)
    return [
        reached
        for folder in _folders(root)
        if (reached := _erase_one(folder, listing_ids, dry_run)) is not None
    ]


def _folders(root: Path) -> list[Path]:
    """Those that are whole: one that is being made, or is on its way out, begins with a dot."""
    found = (path.parent for path in root.rglob(DESCRIPTION))
    return sorted(
        folder
        for folder in found
        if not any(part.startswith(".") for part in folder.relative_to(root).parts)
    )


def _clear(root: Path) -> None:
    for folder in list(root.rglob(f"{_GOING}*")):
        shutil.rmtree(folder)


def _erase_one(folder: Path, listing_ids: Collection[str], dry_run: bool) -> Reached | None:
    made, found = snapshot.columns(folder)
    gone = np.isin(found["listing_id"], list(listing_ids))
    rows = int(gone.sum())
    if not rows:
        return None
    left = made.rows - rows if made.feature_set == FEATURE_SET else 0
    if dry_run:
        return Reached(str(folder), rows, left, None)
    instead = str(_without(folder, made, listing_ids)) if left else None
    going = folder.with_name(f"{_GOING}{folder.name}")
    folder.rename(going)
    shutil.rmtree(going)
    return Reached(str(folder), rows, left, instead)


def _without(folder: Path, made: Snapshot, listing_ids: Collection[str]) -> Path:
    """Make the snapshot of what is left of one, with what was erased counted."""
    data = snapshot.load(folder)[1]
    kept = data.take(~np.isin(data.listing_id, list(listing_ids)))
    erased = data.counts.get(ERASED, 0) + len(data) - len(kept)
    request = msgspec.structs.replace(made.request, made_by=f"{made.request.made_by}; erased from")
    kept = replace(kept, counts={**kept.counts, ERASED: erased})
    return snapshot.make(folder.parent, kept, request)[0]
