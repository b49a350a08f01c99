"""Is a challenger that answers its share of listings nearer than the champion? One look. Pure.

Theory of operation
-------------------
Listings are dealt by a hash of their id, so both arms get the same homes but for chance. What
would spoil that is closed off:

- *One main metric*: mean |log error| of what was answered, whoever answered it. An arm whose model
  falls back is judged with its fallbacks.
- *Mature labels only*: a listing counts when it is so old that it was followed for the whole
  time, and its sale only if it came within that time. Else the fast sellers of the newest weeks
  would be most of what is known.
- *No peeking*: how many labels are needed is worked out before the first one, from the error of
  the time before. Until then no error is told. The verdict is of the first listings that
  come to that number, in the order in which they were listed: whoever asks again later, gets the
  same answer, and asking often does not make chance look like a finding.
- *The deal is checked*: when the arms' listings are not in the share that was set, something
  between the deal and here loses them, and nothing that they say can be trusted.

Not here: where tests and labels are read from (ab_rows.py).
"""

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum, auto
from itertools import count
from statistics import NormalDist, fmean, variance
from typing import NamedTuple

from msgspec import Struct

from monitoring.criteria import Criteria
from stream_app.contract.predictions import Arm

# Errors' spread over their mean where the time before says nothing: as of an exponential.
SPREAD_UNKNOWN = 1.0
SPREAD_LABELS_MIN = 200
POWER = 0.8  # the usual one: four of five true differences of the size sought are seen
_NORMAL = NormalDist()


class State(StrEnum):
    """How an A/B test stands."""

    RUNNING = auto()  # labels are missing; no error is told
    DEAL_BROKEN = auto()  # the arms are not in the share that was set
    CHALLENGER_BETTER = auto()
    CHAMPION_BETTER = auto()
    NO_DIFFERENCE = auto()  # none of the size sought


class Enrolled(NamedTuple):
    """A listing of the test that was followed for the whole time."""

    listed_ms: int
    listing_id: str
    arm: Arm
    error_log: float | None  # |log error|; None: not sold within that time, or no price


class Difference(Struct, frozen=True, kw_only=True):
    """The challenger's mean |log error| against the champion's."""

    challenger_error_log: float
    champion_error_log: float
    relative: float  # below 0: the challenger is nearer
    relative_low: float  # 95 % interval
    relative_high: float
    p_value: float


class Verdict(Struct, frozen=True, kw_only=True):
    """How it stands; of `labels` and `listings` the champion's come first."""

    state: State
    labels_needed: int  # of each arm
    labels: tuple[int, int]  # those that the verdict is of
    listings: tuple[int, int]  # all that are mature
    deal_p: float | None  # of a share as far from the one set; None: nobody is enrolled
    difference: Difference | None = None


def labels_needed(spread: float, criteria: Criteria) -> int:
    """So many of each arm see a difference of `ab_effect`.

    Parameters
    ----------
    spread : standard deviation of |log error| over its mean

    Examples
    --------
    A tenth of the error, which spreads as wide as it is large; 2 x (1.96 + 0.84)² / 0.1²:

    >>> from msgspec.structs import replace
    >>> from monitoring.criteria import shipped
    >>> labels_needed(1.0, replace(shipped(), ab_effect=0.10, ab_chance_max=0.05))
    1570
    """
    quantiles = _NORMAL.inv_cdf(1 - criteria.ab_chance_max / 2) + _NORMAL.inv_cdf(POWER)
    return math.ceil(2 * (quantiles * spread / criteria.ab_effect) ** 2)


def spread_of(errors_log: Sequence[float]) -> float:
    """Tell how wide errors of the time before the test spread, over their mean.

    >>> round(spread_of([0.1] * 100 + [0.3] * 100), 3)
    0.501
    """
    if len(errors_log) < SPREAD_LABELS_MIN or fmean(errors_log) == 0:
        return SPREAD_UNKNOWN
    return math.sqrt(variance(errors_log)) / fmean(errors_log)


def judge(enrolled: Iterable[Enrolled], share: float, needed: int, criteria: Criteria) -> Verdict:
    """Tell how the test stands.

    Parameters
    ----------
    enrolled : mature listings, in any order
    share : of all listings that the challenger was to be dealt
    needed : labels of each arm, see `labels_needed`
    """
    ordered = sorted(enrolled)
    first = ordered[: _enough(ordered, needed)]
    champion, challenger = (_errors(first, arm) for arm in Arm)
    labels = len(champion), len(challenger)
    dealt = sum(each.arm is Arm.CHALLENGER for each in ordered)
    deal_p = chance_of_deal(dealt, len(ordered), share)
    difference = None
    if deal_p is not None and deal_p < criteria.ab_deal_chance_max:
        state = State.DEAL_BROKEN
    elif min(labels) < needed:
        state = State.RUNNING
    else:
        difference = compare(challenger, champion)
        state = _state(difference, criteria)
    return Verdict(
        state=state,
        labels_needed=needed,
        labels=labels,
        listings=(len(ordered) - dealt, dealt),
        deal_p=deal_p,
        difference=difference,
    )


def _enough(ordered: Sequence[Enrolled], needed: int) -> int:
    """How many listings, from the first on, hold so many labels of each arm; all, if none do."""
    seen = {Arm.CHAMPION: 0, Arm.CHALLENGER: 0}
    for taken, each in zip(count(1), ordered):
        seen[each.arm] += each.error_log is not None
        if min(seen.values()) >= needed:
            return taken
    return len(ordered)


def _errors(enrolled: Iterable[Enrolled], arm: Arm) -> list[float]:
    return [e.error_log for e in enrolled if e.arm is arm and e.error_log is not None]


def chance_of_deal(challengers: int, listings: int, share: float) -> float | None:
    """How probable a deal is that is as far from the share, two-sided; None: nothing to judge.

    >>> round(chance_of_deal(5_100, 10_000, 0.5), 3)
    0.046
    """
    expected = listings * share
    spread = math.sqrt(expected * (1 - share))
    if spread == 0:
        return None
    return 2 * _NORMAL.cdf(-abs(challengers - expected) / spread)


def compare(challenger: Sequence[float], champion: Sequence[float]) -> Difference:
    """Compare two samples of |log error| by their means (Welch, normal: there are hundreds)."""
    means = fmean(challenger), fmean(champion)
    error = math.sqrt(variance(challenger) / len(challenger) + variance(champion) / len(champion))
    apart = means[0] - means[1]
    wide = _NORMAL.inv_cdf(0.975) * error
    return Difference(
        challenger_error_log=means[0],
        champion_error_log=means[1],
        relative=apart / means[1],
        relative_low=(apart - wide) / means[1],
        relative_high=(apart + wide) / means[1],
        p_value=2 * _NORMAL.cdf(-abs(apart) / error),
    )


def _state(difference: Difference, criteria: Criteria) -> State:
    if difference.p_value >= criteria.ab_chance_max:
        return State.NO_DIFFERENCE
    return State.CHALLENGER_BETTER if difference.relative < 0 else State.CHAMPION_BETTER
