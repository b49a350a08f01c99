"""What a champion was made for: homes and prices as in its training rows.

A home beyond is priced all the same, and marked: trees answer with the nearest leaf, and
say nothing of how far away it is. Only features that the model looks at are judged.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_app.contract.models import Scope
from stream_app.scoring.encoder import Codes

NAMED_MAX = 8


class Marks(NamedTuple):
    """Names of features, in their order; of each at most `NAMED_MAX`."""

    unseen: tuple[str, ...] = ()  # a category that no training row had
    outside: tuple[str, ...] = ()  # a number beyond those of the training rows


NO_MARKS = Marks()


class Limits:
    """A scope at work.

    Parameters
    ----------
    names : the columns of a row, in order
    encodings : category -> codes as text -> whatever; the codes are those known
    used : shape (features,), which features the model looks at
    """

    def __init__(
        self,
        scope: Scope,
        names: Sequence[str],
        encodings: Mapping[str, Mapping[str, float]],
        used: NDArray[np.bool_],
    ) -> None:
        self._scope = scope
        self._names = tuple(names)
        unlimited = (-np.inf, np.inf)
        ranges = [
            scope.ranges.get(name, unlimited) if looked_at else unlimited
            for name, looked_at in zip(names, used.tolist(), strict=True)
        ]
        self._low, self._high = np.array(ranges, dtype=np.float64).T
        self._codes = Codes(
            {
                place: sorted(map(float, encodings[name]))
                for place, name in enumerate(names)
                if name in encodings and used[place]
            }
        )

    def marks(self, rows: NDArray[np.float64]) -> list[Marks]:
        """What is beyond, of each raw feature row, shape (n, features); NaN is within."""
        outside = (rows < self._low) | (rows > self._high)
        unseen = np.zeros(rows.shape, dtype=np.bool_)
        _, known = self._codes.find(rows)
        unseen[:, self._codes.places] = ~(known | np.isnan(rows[:, self._codes.places]))
        found = [NO_MARKS] * len(rows)
        for row in np.flatnonzero((outside | unseen).any(axis=1)).tolist():
            found[row] = Marks(self._named(unseen[row]), self._named(outside[row]))
        return found

    def beyond(self, property_type: str, price: float) -> tuple[str, ...]:
        """What is out of the declared scope: `property_type`, `price`."""
        low, high = self._scope.prices
        findings = (
            (property_type not in self._scope.property_types, "property_type"),
            (not low <= price <= high, "price"),
        )
        return tuple(name for holds, name in findings if holds)

    def _named(self, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(self._names[place] for place in np.flatnonzero(chosen)[:NAMED_MAX].tolist())
