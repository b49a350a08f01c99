"""Listings that were erased: noted, taken out of the archive, and kept out of it.

Theory. An erasure is noted on disk before the range that holds its event is published, so
that a death in between loses nothing: the event will come again, and the note is the same.
Who publishes reads the notes under the lock of publishers (rewrite.py) and leaves such
rows out. Who erases first holds the archive alone for a moment: whoever began to publish
without knowing the note is through by then, and all others know it. Then each published
manifest is looked at, one at a time, and rewritten if it holds rows of an erased listing.
A receipt beside the note ends it; a death before it makes all of this happen again, which
changes nothing that was done.

An erased id stays erased: what is sent under it later is not archived either, since of an
outcome nobody can say whether it came of what was before or after.

Found are rows whose message names the listing; of bytes as they came those that name it
in a JSON object, and tombstones by their key. Not here: the broker's own topics.
"""

import secrets
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet as pq
from msgspec import Struct, json

from monitoring import chain, durable, ranges, rewrite
from monitoring.chain import Source
from monitoring.heads import head_of
from monitoring.rewrite import Busy
from monitoring.tables import Layout, Taken
from stream_app.contract import rules, wire
from stream_app.contract.archive import MANIFESTS, manifest_name
from stream_app.contract.events import Erasure
from stream_app.contract.rejects import Rejected

T = TypeVar("T")

NOTED = "erasures/noted"
DONE = "erasures/done"


class Noted(Struct, frozen=True):
    """One erasure, and where in the log it lies."""

    topic: str
    topic_id: str
    partition: int
    offset: int
    listing_id: str

    @property
    def name(self) -> Path:
        """Where its files lie, below the folder of notes and that of receipts."""
        return Path(self.topic, self.topic_id, manifest_name(self.partition, self.offset))


class Receipt(Struct, frozen=True):
    """What a pass over the archive took, for all listings that it was made for."""

    rows: int
    ranges: int
    done_ms: int


class Erased:
    """The ids that were erased so far, read again as notes come."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._notes: dict[Path, Noted] = {}
        self._done: set[Path] = set()

    def ids(self) -> frozenset[str]:
        """All of them."""
        self._refresh()
        return frozenset(noted.listing_id for noted in self._notes.values())

    def pending(self, is_mine: Callable[[Noted], bool]) -> list[Noted]:
        """Those that are mine and have no receipt."""
        self._refresh()
        return [n for n in self._notes.values() if is_mine(n) and not self._is_done(n.name)]

    def _is_done(self, name: Path) -> bool:
        if name not in self._done and (self._root / DONE / name).exists():
            self._done.add(name)
        return name in self._done

    def _refresh(self) -> None:
        for path in (self._root / NOTED).glob("*/*/*.json"):
            if path not in self._notes:
                self._notes[path] = json.decode(path.read_bytes(), type=Noted)


def listing_of(record: Taken) -> str | None:
    """Name the listing that a record of `events` erases; None when it is no valid erasure."""
    if record.value is None or head_of(record.value).kind != ranges.ERASURE:
        return None
    decoded = wire.decode_event(record.value)
    if isinstance(decoded, Rejected) or not isinstance(decoded.event, Erasure):
        return None
    event = decoded.event
    if event.region.encode() != record.key or rules.violation(event) is not None:
        return None
    return None if rules.from_future(event, record.appended_ms) else event.listing_id


def note(root: Path, source: Source, records: Iterable[Taken]) -> None:
    """Note the erasures among the records of a range that is about to be published."""
    for record in records:
        listing_id = listing_of(record)
        if listing_id is not None:
            noted = Noted(*source, record.offset, listing_id)
            durable.replace(root / NOTED / noted.name, json.encode(noted))


def erase(
    root: Path,
    layouts: Mapping[str, Layout[Any]],
    notes: Sequence[Noted],
    reached: Callable[[str], None] = chain.nothing,
) -> Generator[None, None, Receipt]:
    """Take the listings out of all topics, one manifest at each step. Ends with receipts.

    A step does nothing while somebody publishes. `layouts` has the topics by full name.
    """
    ids = frozenset(noted.listing_id for noted in notes)
    rows = ranges_changed = 0
    for path in (yield from _alone(root, lambda: _manifests(root, layouts))):
        act = partial(_erase_one, root, layouts[path.parts[-3]], path, ids, reached)
        taken = yield from _alone(root, act)
        rows, ranges_changed = rows + taken, ranges_changed + (taken > 0)
    receipt = Receipt(rows, ranges_changed, time.time_ns() // 1_000_000)
    for noted in notes:
        durable.replace(root / DONE / noted.name, json.encode(receipt))
    return receipt


def _alone(root: Path, act: Callable[[], T]) -> Generator[None, None, T]:
    """Act while nobody publishes; until then, and afterwards, let the caller go on."""
    while True:
        try:
            with rewrite.rewriting(root):
                result = act()
        except Busy:
            yield
        else:
            yield
            return result


def _manifests(root: Path, layouts: Mapping[str, Layout[Any]]) -> list[Path]:
    topics = [topic for topic, layout in layouts.items() if layout.names_market]
    return [p for topic in topics for p in sorted((root / MANIFESTS / topic).glob("*/*.json"))]


def _erase_one(
    root: Path,
    layout: Layout[Any],
    path: Path,
    ids: frozenset[str],
    reached: Callable[[str], None],
) -> int:
    """Rewrite one range; return how many rows it lost."""
    manifest = chain.read(path)
    token, now_ms = secrets.token_hex(4), time.time_ns() // 1_000_000
    found = ranges.without(
        layout, manifest, lambda file: pq.read_table(root / file), ids, token, now_ms
    )
    if found is None:
        return 0
    rewrite.replace(root, *found, token, reached)
    return manifest.rows - found.manifest.rows
