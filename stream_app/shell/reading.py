"""How far the log was read, as the consumer's own thread notes it. Any thread may ask.

Every value is put in place whole, so a reader never sees half of one.
"""

from typing import NamedTuple


class Assigned(NamedTuple):
    number: int  # rises with every assignment and every revocation
    partitions: frozenset[int] | None  # None: no member of the group, or between assignments


class Spot(NamedTuple):
    """Where the reading of one partition stands."""

    last: int  # offset of the last record that was handed on
    position: int  # offset to fetch next: beyond `last` there were only transaction markers


class Reading:
    def __init__(self) -> None:
        self.assigned = Assigned(0, None)
        self._spots: dict[int, Spot] = {}

    def assign(self, partitions: frozenset[int] | None) -> None:
        """Note an assignment, empty if we got none; None: what we had was revoked."""
        self.assigned = Assigned(self.assigned.number + 1, partitions)

    def note(self, partition: int, spot: Spot) -> None:
        self._spots[partition] = spot

    def next_to_apply(self, partition: int, applied: int) -> int:
        """The offset to apply next. Markers behind the last record are not waited for.

        >>> reading = Reading()
        >>> reading.note(0, Spot(last=7, position=9))  # 8 is the marker of a transaction
        >>> reading.next_to_apply(0, applied=7), reading.next_to_apply(0, applied=5)
        (9, 6)
        """
        spot = self._spots.get(partition)
        if spot is None or spot.last > applied:
            return applied + 1
        return max(applied + 1, spot.position)
