"""What is usual in a region: the row of its typical home, kept as homes are listed.

A reason compares a home with it (scoring/reasons.py). It is the usual value of each
feature, not a home that exists: a running mean of what is measured, the most frequent
name where there is one, unknown where most homes do not tell.

Order matters to it, as it does to the region's corrector: it follows the log. Counts
are halved when they reach `COUNT_MAX`, so what was long ago fades and nothing grows.
"""

from stream_app.core.features import CATEGORICAL, FEATURE_SET, NAMES, NAN
from stream_app.core.region import Typical

HOMES_MIN = 5  # fewer are no custom
# A mean is of the last 256 to 512 homes: a year of a suburb.
COUNT_MAX = 512
# Names that are counted at the same time (Misra and Gries, 1982: what more than an eighth of
# homes have is among them). A flat's type has a most frequent one; a town's streets do not.
SLOTS = 8
_CODES = tuple(NAMES.index(name) for name in CATEGORICAL)


def note(typical: Typical, row: tuple[float, ...]) -> None:
    """Take the row of one more home into what is usual."""
    if typical.feature_set != FEATURE_SET:
        _start(typical)
    known, means = typical.known, typical.means
    # What equals itself is not NaN. The means of codes are of no use, and cost less than a look.
    for place, value in enumerate(row):
        if value == value:
            known[place] = n = known[place] + 1
            means[place] += (value - means[place]) / n
    for place, votes in zip(_CODES, typical.votes, strict=True):
        if row[place] == row[place]:
            _vote(votes, int(row[place]))
    typical.homes += 1
    if typical.homes == COUNT_MAX:
        _fade(typical)


def against(typical: Typical, row: tuple[float, ...]) -> tuple[float, ...] | None:
    """The typical home to hold against a home; None before there is one.

    Where no name is frequent, it has the name of that very home.
    """
    homes = typical.homes
    if homes < HOMES_MIN or typical.feature_set != FEATURE_SET:
        return None
    half = homes / 2
    usual = [
        mean if n >= half else NAN for n, mean in zip(typical.known, typical.means, strict=True)
    ]
    for place, votes in zip(_CODES, typical.votes, strict=True):
        if typical.known[place] >= half:
            usual[place] = _frequent(votes, homes, row[place])
    return tuple(usual)


def _start(typical: Typical) -> None:
    typical.feature_set, typical.homes = FEATURE_SET, 0
    typical.known, typical.means = [0] * len(NAMES), [0.0] * len(NAMES)
    typical.votes = [{} for _ in _CODES]


def _vote(votes: dict[int, int], code: int) -> None:
    """Count a name; when all slots are taken by others, it costs each of them one.

    >>> votes = {1: 2, 2: 1}
    >>> _vote(votes, 1)
    >>> votes
    {1: 3, 2: 1}
    """
    if code in votes or len(votes) < SLOTS:
        votes[code] = votes.get(code, 0) + 1
        return
    for other in list(votes):
        votes[other] -= 1
        if votes[other] == 0:
            del votes[other]


def _frequent(votes: dict[int, int], homes: int, own: float) -> float:
    """The name that more than an eighth of homes have; else `own`. The older one of equals."""
    best = max(votes, key=votes.__getitem__, default=None)
    return own if best is None or votes[best] * SLOTS <= homes else float(best)


def _fade(typical: Typical) -> None:
    typical.homes //= 2
    typical.known = [count // 2 for count in typical.known]
    typical.votes = [
        {code: count // 2 for code, count in votes.items() if count > 1} for votes in typical.votes
    ]
