"""What is another thing in the second of two snapshots: rows, columns, where the log ended."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from offline import shift
from offline.collector import Read
from offline.dataset import Dataset
from offline.shift import Shift
from offline.snapshot import PLACES, Columns, Snapshot

EXAMPLES = 3


class Homes(Struct, frozen=True):
    """How many, and a few by region and listing."""

    rows: int
    examples: tuple[str, ...]


class Extent(Struct, frozen=True):
    """First offset and end of a partition in each; None: not read."""

    partition: int
    first: tuple[int, int] | None
    second: tuple[int, int] | None


class Comparison(Struct, frozen=True):
    """The second against the first."""

    same_content: bool
    rows: tuple[int, int]
    added: Homes
    gone: Homes
    changed: Homes  # in what they say, of those in both
    changed_columns: dict[str, int]  # rows that differ in it
    moved: int  # rows that lie elsewhere in the log, of those in both
    schema: tuple[str, ...]  # differences in words
    extents: tuple[Extent, ...]
    events: dict[str, tuple[int, int]]  # counts that differ
    shifts: tuple[Shift, ...]  # none where the features are not this program's


def compare(
    first: tuple[Snapshot, Columns],
    second: tuple[Snapshot, Columns],
    data: tuple[Dataset, Dataset] | None,
) -> Comparison:
    """Hold two snapshots against each other, home by home; `data`: of which shifts are told."""
    (one, ours), (other, theirs) = first, second
    our_homes, their_homes = _homes(ours), _homes(theirs)
    _, here, there = np.intersect1d(our_homes, their_homes, return_indices=True)
    differ = {
        name: _differ(ours[name][here], theirs[name][there]) for name in ours if name in theirs
    }
    moved = np.logical_or.reduce([differ.pop(name) for name in PLACES])
    changed = np.logical_or.reduce(list(differ.values()))
    return Comparison(
        same_content=one.content_sha256 == other.content_sha256,
        rows=(one.rows, other.rows),
        added=_named(np.setdiff1d(their_homes, our_homes)),
        gone=_named(np.setdiff1d(our_homes, their_homes)),
        changed=_named(our_homes[here][changed]),
        changed_columns={name: int(rows.sum()) for name, rows in differ.items() if rows.any()},
        moved=int(moved.sum()),
        schema=tuple(_schema(one, other)),
        extents=tuple(_extents(one.read, other.read)),
        events=_counts(one.events, other.events),
        shifts=() if data is None else shift.compare(*data),
    )


def _homes(columns: Columns) -> NDArray[np.str_]:
    return np.strings.add(np.strings.add(columns["region"], "/"), columns["listing_id"])


def _named(homes: NDArray[np.str_]) -> Homes:
    return Homes(len(homes), tuple(homes[:EXAMPLES].tolist()))


def _differ(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.bool_]:
    """To the bit; unknown equals unknown."""
    if ours.dtype == theirs.dtype == np.float64:
        ours, theirs = ours.view(np.int64), theirs.view(np.int64)
    return np.asarray(ours != theirs, dtype=np.bool_)


def _schema(one: Snapshot, other: Snapshot) -> list[str]:
    ours, theirs = ({c.name: c for c in made.columns} for made in (one, other))
    return [
        *(f"{name}: gone" for name in ours if name not in theirs),
        *(f"{name}: added" for name in theirs if name not in ours),
        *(
            f"{name}: was {c.dtype} in {c.unit}, is {theirs[name].dtype} in {theirs[name].unit}"
            for name, c in ours.items()
            if name in theirs and theirs[name] != c
        ),
    ]


def _extents(ours: tuple[Read, ...], theirs: tuple[Read, ...]) -> list[Extent]:
    first, second = (
        {read.partition: (read.first_offset, read.end_offset) for read in reads}
        for reads in (ours, theirs)
    )
    return [Extent(n, first.get(n), second.get(n)) for n in sorted(first.keys() | second.keys())]


def _counts(ours: Mapping[str, int], theirs: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    return {
        name: (ours.get(name, 0), theirs.get(name, 0))
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name, 0) != theirs.get(name, 0)
    }
