"""A market's weight of the correction: a correction that does not help weighs nothing.

Judged by the errors of what was served, with the full correction and without.
It costs nothing where correction helps; a harmful corrector becomes harmless.
"""

from msgspec import Struct

from stream_app.core.region import Decayed
from stream_app.scoring.interval import decayed_add

HALF_LIFE = 500  # labels
TOLERANCE = 0.02  # the weight is gone where the correction costs 2 %
_DECAY = 0.5 ** (1 / HALF_LIFE)


class Guard(Struct, array_like=True):
    """State: decayed means of |log residual| of the champion, and of it corrected."""

    champion: Decayed
    corrected: Decayed


def observe(guard: Guard, champion_error: float, corrected_error: float) -> None:
    """Take in the two errors of one sale, log units, not negative."""
    decayed_add(guard.champion, champion_error, _DECAY)
    decayed_add(guard.corrected, corrected_error, _DECAY)


def weight(guard: Guard) -> float:
    """Share of the correction to use, 0 to 1; 1 before the first label.

    >>> weight(Guard(champion=Decayed(1.0, 10.0), corrected=Decayed(0.9, 10.0)))
    1.0
    >>> round(weight(Guard(champion=Decayed(1.0, 10.0), corrected=Decayed(1.01, 10.0))), 6)
    0.5
    """
    if guard.champion.total <= 0:
        return 1.0
    excess = guard.corrected.total / guard.champion.total - 1
    return min(1.0, max(0.0, 1.0 - excess / TOLERANCE))
