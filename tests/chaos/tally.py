"""What should be visible held against what is: lost, twice, other, out of order. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec


class Named(NamedTuple):
    """A record by what it is, and by what it says."""

    name: str  # the same for two tellings of the same thing
    digest: bytes  # of key, value and headers


class Tally(msgspec.Struct, frozen=True):
    """Counts of records."""

    expected: int = 0
    lost: int = 0
    visible_twice: int = 0
    non_identical: int = 0
    out_of_order: int = 0
    wrong_state: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        mine, others = msgspec.structs.astuple(self), msgspec.structs.astuple(other)
        return Tally(*(a + b for a, b in zip(mine, others, strict=True)))

    @property
    def wrong(self) -> int:
        """All that must be zero."""
        return (
            self.lost
            + self.visible_twice
            + self.non_identical
            + self.out_of_order
            + self.wrong_state
        )


def compare(expected: Sequence[Named], seen: Sequence[Named]) -> Tally:
    """Count how what is seen differs from what is expected, both in the order of the log.

    >>> a, b, other_b = Named("a", b"1"), Named("b", b"2"), Named("b", b"3")
    >>> compare([a, b], [a, b, b]).visible_twice, compare([a, b], [b]).lost
    (1, 1)
    >>> compare([a, b], [a, other_b]).non_identical, compare([a, b], [b, a]).out_of_order
    (1, 2)
    """
    if list(expected) == list(seen):
        return Tally(expected=len(expected))
    wanted, found = _by_name(expected), _by_name(seen)
    names = wanted.keys() | found.keys()
    tellings = [(wanted.get(name, []), found.get(name, [])) for name in names]
    lost = sum(max(0, len(w) - len(f)) for w, f in tellings)
    twice = sum(max(0, len(f) - len(w)) for w, f in tellings)
    other = sum(a != b for w, f in tellings for a, b in zip(w, f, strict=False))
    moved = 0
    if not lost + twice + other:
        moved = sum(a != b for a, b in zip(expected, seen, strict=True))
    return Tally(len(expected), lost, twice, other, moved)


def compare_state(expected: dict[str, bytes], seen: dict[str, bytes]) -> Tally:
    """Count the keys that hold something else than they should.

    >>> compare_state({"a": b"1"}, {"a": b"1", "b": b"2"}).wrong_state
    1
    """
    keys = expected.keys() | seen.keys()
    return Tally(wrong_state=sum(expected.get(key) != seen.get(key) for key in keys))


def _by_name(records: Sequence[Named]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = defaultdict(list)
    for record in records:
        found[record.name].append(record.digest)
    return found
