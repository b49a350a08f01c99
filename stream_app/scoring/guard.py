"""A market's weight of the correction: a correction that does not help weighs nothing.

Judged by the errors of what was served, with the full correction and without.
It costs nothing where correction helps; a harmful corrector becomes harmless.

Two hundred errors differ by 1 % or 2 % by chance alone. So both sums begin with
pseudo-labels of equal error, which fade with the half-life of the real ones.
"""

from msgspec import Struct

from stream_app.core.region import Decayed
from stream_app.scoring.interval import decayed_add

HALF_LIFE = 500  # labels
TOLERANCE = 0.02  # the weight is gone where the correction costs 2 %
DECAY: float = 0.5 ** (1 / HALF_LIFE)
# King County, labels 30 days late: the first versions weighed 0.44 to 0.66 without them, 0.69
# to 0.82 with them, and the answer's error was 0.1 % less; HDB is the same either way.
PSEUDO_LABELS = 500


class Guard(Struct, array_like=True):
    """State: decayed means of |log residual| of the champion, and of it corrected."""

    champion: Decayed
    corrected: Decayed


def observe(guard: Guard, champion_error: float, corrected_error: float) -> None:
    """Take in the two errors of one sale, log units, not negative."""
    decayed_add(guard.champion, champion_error, DECAY)
    decayed_add(guard.corrected, corrected_error, DECAY)


def weight(guard: Guard) -> float:
    """Share of the correction to use, 0 to 1; 1 before the first label.

    >>> weight(Guard(champion=Decayed(70.0, 700.0), corrected=Decayed(63.0, 700.0)))
    1.0
    >>> round(weight(Guard(champion=Decayed(70.0, 700.0), corrected=Decayed(70.7, 700.0))), 2)
    0.51
    """
    if guard.champion.total <= 0:
        return 1.0
    seen = guard.champion.weight
    pseudo = PSEUDO_LABELS * (1 - seen * (1 - DECAY))  # what is left of them
    excess = (guard.corrected.total / guard.champion.total - 1) * seen / (seen + pseudo)
    return min(1.0, max(0.0, 1.0 - excess / TOLERANCE))
