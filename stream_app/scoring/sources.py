"""Whose labels are learned from: one who contradicts all others is left out until it agrees.

Asked on both levels of the corrector: by the learner of a market's sources, by the scorer of
a region's. State: core/region.py.

The rule. Labels of a source are left out while the mean of its newest residuals lies more
than `GAP_LIMIT` and three standard errors from the mean of what was learned from all other
sources that are not left out themselves. Where others have said little of late, there is
nothing to hold against, and everything is learned.

Few labels say little of a mean, so newcomers are believed one by one until they contradict,
and are judged together as well: against all who are no newcomers. So many honest sources do
not starve a region, and a new name for each label is found out after some ten labels.

Held against is what was *learned* from others, not what they sent: so whoever came first
and in peace is believed, and a newcomer cannot have the others left out. What was learned
fades with the number of labels of all sources, never with their dates, which anybody can get
wrong. So a source with a tenth of all labels stays held against; one that fell silent
fades within some thousand labels, and does not hold the rest for ever.

Residuals are those that the corrector leaves, winsorised like its targets: a source whose
homes are of one kind does not differ by that. What this lets through: a newcomer's first
labels, two or three of them at 40 % off; of a source that was believed and turns, some ten;
and one that stays within the limit moves the mean by it, times its share. Of two who
contradict each other from the first label on nobody can tell who is right: the first to be
noticed is left out.
"""

import math

from stream_app.core.region import Moments, Source, Sources
from stream_app.scoring.corrector import TARGET_LIMIT

GAP_LIMIT = 0.15  # log units, on the mean of many homes: other kinds of homes differ by 0.12
STANDARD_ERRORS = 3.0
NEWCOMER = 20  # labels, up to which a source is judged with all other newcomers
NEWEST_HALF_LIFE = 12  # labels of the source
LEARNED_HALF_LIFE = 300  # labels of all sources
# What was learned from others must weigh as much as this to be held against.
OTHERS_MIN = 20.0
# Names with a record of their own; all later ones share the record of no name.
NAMES_MAX = 100
_NEWEST_DECAY = 0.5 ** (1 / NEWEST_HALF_LIFE)


def admit(sources: Sources, name: str, residual_log: float) -> bool:
    """Take in a label; say whether it is to be learned from.

    Parameters
    ----------
    residual_log : what the corrector leaves of it, log units

    Examples
    --------
    >>> sources = Sources()
    >>> all(admit(sources, "registry", 0.0) for _ in range(50))
    True
    >>> any(admit(sources, "newcomer", 0.7) for _ in range(300))
    False
    >>> admit(sources, "registry", 0.0)
    True
    """
    value = min(TARGET_LIMIT, max(-TARGET_LIMIT, residual_log))
    sources.labels += 1
    source = _source(sources, name)
    source.labels += 1
    _add(source.newest, value, _NEWEST_DECAY)
    source.is_out = _contradicts(source.newest, _learned_from_others(sources, source))
    if not source.is_out and source.labels <= NEWCOMER:
        _add(sources.newcomers, value, _NEWEST_DECAY)
        sources.newcomers_out = True  # not held against themselves
        known = _learned_from_others(sources, source)
        source.is_out = sources.newcomers_out = _contradicts(sources.newcomers, known)
    if source.is_out:
        source.left_out += 1
        return False
    _add(source.learned, value, _faded(source, sources))
    source.learned_at = sources.labels
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


def _faded(source: Source, sources: Sources) -> float:
    """Share of what was learned from a source that counts by now."""
    return float(0.5 ** ((sources.labels - source.learned_at) / LEARNED_HALF_LIFE))


def _learned_from_others(sources: Sources, own: Source) -> Moments:
    """What counts by now of all others that are not left out."""
    others, least = Moments(), NEWCOMER if sources.newcomers_out else 0
    for source in sources.by_name.values():
        if source is not own and not source.is_out and source.labels > least:
            share = _faded(source, sources)
            others.weight += source.learned.weight * share
            others.total += source.learned.total * share
            others.squares += source.learned.squares * share
    return others


def _contradicts(newest: Moments, others: Moments) -> bool:
    if others.weight < OTHERS_MIN:
        return False
    gap = abs(_mean(newest) - _mean(others))
    # A few labels lie close together by chance: no source is taken to scatter less than all.
    of_others = _variance(others)
    of_newest = max(of_others, _variance(newest))
    error = math.sqrt(of_newest / newest.weight + of_others / others.weight)
    return gap > GAP_LIMIT and gap > STANDARD_ERRORS * error


def _mean(moments: Moments) -> float:
    return moments.total / moments.weight


def _variance(moments: Moments) -> float:
    return max(0.0, moments.squares / moments.weight - _mean(moments) ** 2)
