"""Are features that are rebuilt offline those that were served? Row by row, to the bit.

Both come in the order of the events: what was served lies beside its source partition in the
order in which that was worked off. So a partition is compared as two streams that are walked
side by side, and nothing is held but what is not found yet on the other side.

What may be missing, and is no fault: a topic keeps only the newest prediction of a listing
after some days, nothing of an erased one, and the newest events may not be served yet. Rows of
another feature set are other columns, and are counted, not compared.

Not here: where both come from (parity_rows.py), options (parity_command.py).
"""

import hashlib
import math
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
from msgspec import Struct

from offline.collector import Read
from stream_app.core.features import FEATURE_SET, NAMES

EXAMPLES = 5


class Row(NamedTuple):
    """A feature row on either side. Rebuilt ones without features: the listing is erased."""

    offset: int  # of the listing in `housing.events`
    market: str
    listing_id: str
    features: tuple[float | None, ...] | None
    feature_set: str = FEATURE_SET


class Difference(Struct, frozen=True):
    """One feature that was served otherwise."""

    partition: int
    offset: int
    listing_id: str
    feature: str
    served: float | None
    rebuilt: float | None


class Missing(Struct, frozen=True):
    """A row that the other side does not have."""

    partition: int
    offset: int
    listing_id: str


class Scope(Struct, frozen=True):
    """Which rows are compared."""

    market: str
    from_offset: int = 0
    share: float = 1.0  # of the listings, by a hash of their id

    def holds(self, row: Row) -> bool:
        """A fixed draw: all rows of a listing, on whichever side, or none."""
        if row.market != self.market or row.offset < self.from_offset:
            return False
        if self.share >= 1:
            return True
        drawn = hashlib.sha256(row.listing_id.encode("utf-8", "replace")).digest()
        return int.from_bytes(drawn[:8]) < self.share * 2**64


class Compared(Struct, frozen=True):
    """What a partition came to."""

    partition: int
    read: Read  # of the events
    served_records: int = 0
    compared: int = 0
    equal: int = 0
    different: int = 0
    not_rebuilt: int = 0  # served, and the log gives no such prediction
    not_served: int = 0  # rebuilt, and nothing was served in its place
    superseded: int = 0  # rebuilt; a newer one of the listing is there, or it was erased
    not_yet_served: int = 0  # rebuilt, behind the last one that was served
    other_feature_set: int = 0
    rows_sha256: str = ""
    differences: tuple[Difference, ...] = ()
    missing: tuple[Missing, ...] = ()


class Certificate(Struct, frozen=True):
    """All partitions together."""

    market: str
    verdict: str  # equal, different, or nothing to compare
    compared: int
    equal: int
    different: int
    not_rebuilt: int
    not_served: int
    superseded: int
    not_yet_served: int
    other_feature_set: int
    share: float
    from_offset: int
    feature_set: str
    libraries: dict[str, str]
    served_from: str  # topic, or archive
    differences: tuple[Difference, ...]
    missing: tuple[Missing, ...]
    partitions: tuple[Compared, ...]
    sha256: str = ""  # of all the rest


class Comparison:
    """Takes the rows of one partition in; rebuilt ones as they are made."""

    def __init__(self, partition: int, scope: Scope, served: Iterable[Row]) -> None:
        self._partition, self._scope = partition, scope
        self._served = iter(served)
        self._next: Row | None = None
        self._newest = -1  # source offset, of what was served
        self._waiting: dict[str, list[int]] = {}  # listing -> offsets that nothing was served for
        self._digest = hashlib.sha256()
        self._counts: dict[str, int] = {}
        self._differences: list[Difference] = []
        self._missing: list[Missing] = []
        self._step()

    def take(self, rebuilt: Row) -> None:
        """Hold the next rebuilt row against what was served."""
        if rebuilt.features is None:
            self._excuse(rebuilt.listing_id)
        elif self._scope.holds(rebuilt):
            self._skip_to(rebuilt.offset)
            served = self._next
            if served is not None and served.offset == rebuilt.offset:
                self._step()
                self._excuse(served.listing_id)
                self._compare(served, rebuilt)
            else:
                self._waiting.setdefault(rebuilt.listing_id, []).append(rebuilt.offset)

    def done(self, read: Read) -> Compared:
        """All that is left on the served side was not rebuilt."""
        self._skip_to(math.inf)
        for listing_id, offsets in self._waiting.items():
            for offset in offsets:
                tail = offset > self._newest
                self._count("not_yet_served" if tail else "not_served")
                if not tail:
                    self._note_missing(offset, listing_id)
        return Compared(
            self._partition,
            read,
            **self._counts,
            rows_sha256=self._digest.hexdigest(),
            differences=tuple(self._differences),
            missing=tuple(self._missing),
        )

    def _step(self) -> None:
        """Move on to the next served row that is compared."""
        for row in self._served:
            self._count("served_records")
            self._newest = max(self._newest, row.offset)
            if self._scope.holds(row):
                self._next = row
                return
        self._next = None

    def _skip_to(self, offset: float) -> None:
        """Pass served rows that lie before: nothing was rebuilt for them."""
        while self._next is not None and self._next.offset < offset:
            passed = self._next
            self._step()
            self._excuse(passed.listing_id)
            self._count("not_rebuilt")
            self._note_missing(passed.offset, passed.listing_id)

    def _excuse(self, listing_id: str) -> None:
        """What was not served before need not be there: something newer of the listing is."""
        if listing_id in self._waiting:
            self._count("superseded", len(self._waiting.pop(listing_id)))

    def _compare(self, served: Row, rebuilt: Row) -> None:
        if served.feature_set != FEATURE_SET:
            self._count("other_feature_set")
            return
        self._count("compared")
        ours, theirs = _bits(rebuilt), _bits(served)
        self._digest.update(b"%d " % rebuilt.offset + ours)
        if ours == theirs:
            self._count("equal")
            return
        self._count("different")
        for found in self._differing(served, rebuilt):
            if len(self._differences) < EXAMPLES:
                self._differences.append(found)

    def _differing(self, served: Row, rebuilt: Row) -> Iterator[Difference]:
        pairs = zip(NAMES, served.features or (), rebuilt.features or (), strict=True)
        for name, theirs, ours in pairs:
            if _number(theirs) != _number(ours):
                place = self._partition, rebuilt.offset, rebuilt.listing_id
                yield Difference(*place, name, theirs, ours)

    def _note_missing(self, offset: int, listing_id: str) -> None:
        if len(self._missing) < EXAMPLES:
            self._missing.append(Missing(self._partition, offset, listing_id))

    def _count(self, name: str, more: int = 1) -> None:
        self._counts[name] = self._counts.get(name, 0) + more


def certify(
    scope: Scope, found: Iterable[Compared], served_from: str, libraries: dict[str, str]
) -> Certificate:
    """One certificate of all partitions, with its own hash."""
    parts = tuple(found)

    def total(name: str) -> int:
        return sum(getattr(part, name) for part in parts)

    wrong = total("different") + total("not_rebuilt") + total("not_served")
    certificate = Certificate(
        market=scope.market,
        verdict="different" if wrong else "equal" if total("compared") else "nothing to compare",
        compared=total("compared"),
        equal=total("equal"),
        different=total("different"),
        not_rebuilt=total("not_rebuilt"),
        not_served=total("not_served"),
        superseded=total("superseded"),
        not_yet_served=total("not_yet_served"),
        other_feature_set=total("other_feature_set"),
        share=scope.share,
        from_offset=scope.from_offset,
        feature_set=FEATURE_SET,
        libraries=libraries,
        served_from=served_from,
        differences=tuple(d for part in parts for d in part.differences)[:EXAMPLES],
        missing=tuple(m for part in parts for m in part.missing)[:EXAMPLES],
        partitions=parts,
    )
    digest = hashlib.sha256(msgspec.json.encode(certificate, order="deterministic"))
    return msgspec.structs.replace(certificate, sha256=digest.hexdigest())


def _bits(row: Row) -> bytes:
    return b"".join(map(_number, row.features or ()))


def _number(value: float | None) -> bytes:
    """All that a number is, so that 0 and -0 differ; null has bits of its own."""
    return array("d", [math.nan if value is None else value]).tobytes()
