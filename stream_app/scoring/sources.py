"""Whose labels are learned from: one who contradicts all others is left out until it agrees.

Asked on both levels of the corrector: by the learner of a market's sources, by the scorer of
a region's. State: core/region.py.

The rule. Labels of a source are left out while the mean of its newest residuals lies more
than `GAP_LIMIT` and three standard errors from the mean of what was learned from all other
sources that are not left out themselves. A newcomer's first `WATCHED` labels are only watched; and where nobody else has
spoken of late, there is nothing to hold against, and everything is learned.

Held against is what was *learned* from others, not what they sent: so whoever came first
and in peace is believed, and a newcomer cannot have the others left out. What was learned
fades with the time of the sales, never with their number: a flood of labels does not wash
away those it contradicts, and a source that fell silent does not hold the rest for ever.

Residuals are those that the corrector leaves, winsorised like its targets: a source whose
homes are of one kind does not differ by that. What this lets through: a source that was
believed and turns is seen after some ten labels, and one that stays within the limit moves
the mean by it, times its share. Of two who contradict each other from the first label on
nobody can tell who is right: the first to be noticed is left out.
"""

import math

from stream_app.contract.spans import DAY_MS
from stream_app.core.region import Moments, Source, Sources
from stream_app.scoring.corrector import TARGET_LIMIT

GAP_LIMIT = 0.1  # log units: 10 % of price, on the mean of many homes
STANDARD_ERRORS = 3.0
WATCHED = 20  # labels; fewer say too little of a mean
NEWEST_HALF_LIFE = 20  # labels
LEARNED_HALF_LIFE_MS = 90 * DAY_MS
# What was learned from others must weigh as much as this to be held against.
OTHERS_MIN = 20.0
# Names with a record of their own; all later ones share the record of no name.
NAMES_MAX = 100
_NEWEST_DECAY = 0.5 ** (1 / NEWEST_HALF_LIFE)


def admit(sources: Sources, name: str, residual_log: float, at_ms: int) -> bool:
    """Take in a label; say whether it is to be learned from.

    Parameters
    ----------
    residual_log : what the corrector leaves of it, log units
    at_ms : when the home was sold, event time

    Examples
    --------
    >>> sources = Sources()
    >>> all(admit(sources, "registry", 0.0, 0) for _ in range(50))
    True
    >>> any(admit(sources, "newcomer", 0.7, 0) for _ in range(500))
    False
    >>> admit(sources, "registry", 0.0, 0)
    True
    """
    value = min(TARGET_LIMIT, max(-TARGET_LIMIT, residual_log))
    sources.at_ms = max(sources.at_ms, at_ms)
    source = _source(sources, name)
    source.labels += 1
    _add(source.newest, value, _NEWEST_DECAY)
    others = _learned_from_others(sources, source)
    source.is_out = others.weight >= OTHERS_MIN and (
        source.labels <= WATCHED or _apart(source.newest, others)
    )
    if source.is_out:
        source.left_out += 1
        return False
    _add(source.learned, value, _faded(source, sources.at_ms))
    source.at_ms = sources.at_ms
    return True


def left_out(sources: Sources) -> dict[str, int]:
    """How many labels of each source were not learned from; only of those that have any."""
    return {name: each.left_out for name, each in sources.by_name.items() if each.left_out}


def _source(sources: Sources, name: str) -> Source:
    if name not in sources.by_name and len(sources.by_name) >= NAMES_MAX:
        name = ""
    return sources.by_name.setdefault(name, Source())


def _add(moments: Moments, value: float, decay: float) -> None:
    moments.weight = moments.weight * decay + 1
    moments.total = moments.total * decay + value
    moments.squares = moments.squares * decay + value * value


def _faded(source: Source, at_ms: int) -> float:
    """Share of what was learned from a source that counts by now."""
    return float(0.5 ** ((at_ms - source.at_ms) / LEARNED_HALF_LIFE_MS))


def _learned_from_others(sources: Sources, own: Source) -> Moments:
    others = Moments()
    for source in sources.by_name.values():
        if source is not own and not source.is_out:
            share = _faded(source, sources.at_ms)
            others.weight += source.learned.weight * share
            others.total += source.learned.total * share
            others.squares += source.learned.squares * share
    return others


def _apart(one: Moments, other: Moments) -> bool:
    gap = abs(one.total / one.weight - other.total / other.weight)
    error = math.sqrt(_variance_of_mean(one) + _variance_of_mean(other))
    return gap > GAP_LIMIT and gap > STANDARD_ERRORS * error


def _variance_of_mean(moments: Moments) -> float:
    mean = moments.total / moments.weight
    return max(0.0, moments.squares / moments.weight - mean * mean) / moments.weight
