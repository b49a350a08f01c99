"""What was thawed stays at hand for the next batch: by the very object that it was frozen into.

A memo, and nothing more: whatever is not found is thawed, and comes to the same. So a step
that was not committed leaves nothing behind (the state still holds the object of before), a
state that was read anew is thawed anew, and a second step over the same state finds nothing:
what is taken is gone, for whoever takes it may change it.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

F = TypeVar("F")
T = TypeVar("T")


class Warm(Generic[F, T]):
    """Values by what they were frozen into, not by its content. At most so many, the newest."""

    def __init__(self, most: int) -> None:
        self._most = most
        # The frozen object is held as well: while it is, no other has its id.
        self._kept: OrderedDict[int, tuple[F, T]] = OrderedDict()

    def keep(self, frozen: F, value: T) -> None:
        self._kept[id(frozen)] = (frozen, value)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def take(self, frozen: F) -> T | None:
        """The value, if it is still there; it is the caller's now."""
        _, value = self._kept.pop(id(frozen), (None, None))
        return value
