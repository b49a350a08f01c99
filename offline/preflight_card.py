"""How often a pre-flight says yes and no falsely: on real homes that were answered twice. Pure.

Days are drawn anew by blocks of four weeks, so that what hangs together within a month stays
together, with both answers to each home; the second is moved until it saves what is planted, over
all homes. Judged is as the pre-flight does, and monitoring's policy after it: the saving is
worth it, and beyond chance. Beside it stands how it was judged before.

Not here: which homes are mature (preflight.py); what the two answers were (the replay).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from offline import paired, preflight
from offline.preflight import LABELS, WEEKS
from offline.splits import NotEnough

Floats = NDArray[np.float64]

PLANTED = (0.0, 0.02, 0.04, 0.06, 0.10)  # shares of the error; with none, yes is false
SAVING_MIN = 0.01  # as monitoring/policy.toml
WEEK_DAYS = 7
BLOCK_DAYS = 4 * WEEK_DAYS  # several times what an interval takes for independent
DAYS_MIN = 4 * BLOCK_DAYS  # fewer give every draw the same weeks
CHANCE_MAX = 0.025  # one side of the 95 % interval
RESAMPLES = 1_000


class Day(NamedTuple):
    """Errors |log sale price - log price| of the homes listed on one day."""

    served: Floats
    retrained: Floats


class Rule(NamedTuple):
    """How many homes are judged, and whether what they save is beyond chance."""

    labels: int
    weeks: int
    is_beyond_chance: Callable[[Floats, Floats, NDArray[np.int64]], bool]


class Row(Struct, frozen=True):
    """How often one rule says yes."""

    rule: str
    planted: float
    yes: float
    labels: float  # median over the draws
    weeks: float


def by_interval(served: Floats, retrained: Floats, weeks: NDArray[np.int64]) -> bool:
    """As it is judged."""
    return preflight.interval(served - retrained, weeks)[0] > 0


def by_bootstrap(served: Floats, retrained: Floats, weeks: NDArray[np.int64]) -> bool:
    """As it was: with two to four weeks, a bootstrap has hardly another one to draw."""
    everybody = [np.ones(len(served), np.bool_)]
    (gain,) = paired.gains(served, retrained, weeks, everybody, RESAMPLES, seed=0)
    return gain.p_no_better < CHANCE_MAX


RULES: Mapping[str, Rule] = {
    "500 labels, weekly bootstrap": Rule(LABELS, 0, by_bootstrap),
    f"{WEEKS} weeks, Student's t": Rule(LABELS, WEEKS, by_interval),
    f"{2 * WEEKS} weeks, Student's t": Rule(LABELS, 2 * WEEKS, by_interval),
}


def card(days: Sequence[Day], draws: int, seed: int) -> list[Row]:
    """Each rule on each planted saving, on the same draws.

    Raises
    ------
    NotEnough : of fewer days every draw is the same
    """
    if len(days) < DAYS_MIN:
        raise NotEnough(f"homes of {len(days)} days, {DAYS_MIN} are needed")
    served = np.concatenate([day.served for day in days])
    saved = served - np.concatenate([day.retrained for day in days])
    moves = {share: saved.mean() - share * served.mean() for share in PLANTED}
    return [
        row for name, rule in RULES.items() for row in _rows(name, rule, days, moves, draws, seed)
    ]


def _rows(
    name: str,
    rule: Rule,
    days: Sequence[Day],
    moves: Mapping[float, float],
    draws: int,
    seed: int,
) -> list[Row]:
    generator = np.random.default_rng(seed)
    yes = dict.fromkeys(moves, 0)
    sizes = []
    for _ in range(draws):
        window = _drawn(days, rule, generator)
        # As it was, weeks were the calendar's; now they are counted back from the newest listing.
        begun_days = 0 if rule.weeks else int(generator.integers(WEEK_DAYS))
        served, retrained, weeks = _joined(window, begun_days)
        sizes.append((len(served), len(np.unique(weeks))))
        for share, move in moves.items():
            yes[share] += _says_yes(rule, served, retrained + move, weeks)
    labels, weeks_median = np.median(sizes, axis=0).tolist()
    return [Row(name, share, count / draws, labels, weeks_median) for share, count in yes.items()]


def _drawn(days: Sequence[Day], rule: Rule, generator: np.random.Generator) -> list[Day]:
    """Days, the newest first, until they are enough."""
    found: list[Day] = []
    labels = 0
    while True:
        first = int(generator.integers(len(days) - BLOCK_DAYS + 1))
        for day in reversed(days[first : first + BLOCK_DAYS]):
            if labels >= rule.labels and len(found) >= rule.weeks * WEEK_DAYS:
                return found
            found.append(day)
            labels += len(day.served)


def _joined(window: Sequence[Day], begun_days: int) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Errors, and the week of each home; the newest one has been going on for some days."""
    weeks = [(number + begun_days) // WEEK_DAYS for number in range(len(window))]
    return (
        np.concatenate([day.served for day in window]),
        np.concatenate([day.retrained for day in window]),
        np.repeat(weeks, [len(day.served) for day in window]),
    )


def _says_yes(rule: Rule, served: Floats, retrained: Floats, weeks: NDArray[np.int64]) -> bool:
    is_worth_it = (served - retrained).mean() >= SAVING_MIN * served.mean()
    return bool(is_worth_it) and rule.is_beyond_chance(served, retrained, weeks)
