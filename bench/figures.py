"""Rounds to figures: medians, and ratios within a round. Pure.

A ratio is taken within a round, where both ran minutes apart on the same machine, and the
median of the rounds is told: what slows the whole machine down for a while touches both.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence

from bench.results import Round, Run

# Both names as in `rates`; the bars are those of docs/performance.md.
RATIOS: Mapping[str, float] = {
    "ours/faust_empty": 1.5,
    "ours/textbook_faust": 80.0,
    "ours/textbook_quix": 15.0,
    "ours/hand_loop": 0.5,
}


def rate(run: Run) -> float:
    """Events a second.

    >>> rate(Run(events=300, took_s=2.0, cpu_s=1.0, memory_mb=90.0))
    150.0
    """
    return run.events / run.took_s


def cpu_us_per_event(run: Run) -> float:
    """Processor time, of user and kernel, for each event.

    >>> cpu_us_per_event(Run(events=1_000, took_s=2.0, cpu_s=0.5, memory_mb=90.0))
    500.0
    """
    return 1e6 * run.cpu_s / run.events


def medians(rounds: Sequence[Round], figure: Callable[[Run], float]) -> dict[str, float]:
    """The median over the rounds in which a contestant ran to its end, by name."""
    names = dict.fromkeys(name for each in rounds for name in each)
    return {name: statistics.median(_of(rounds, name, figure)) for name in names}


def ratios(rounds: Sequence[Round], pairs: Sequence[str]) -> dict[str, float]:
    """The median ratio of the rates of each pair `a/b`; a pair that never ran is left out."""
    found: dict[str, float] = {}
    for pair in pairs:
        above, below = pair.split("/")
        each = [rate(one[above]) / rate(one[below]) for one in rounds if {above, below} <= set(one)]
        if each:
            found[pair] = statistics.median(each)
    return found


def _of(rounds: Sequence[Round], name: str, figure: Callable[[Run], float]) -> list[float]:
    return [figure(one[name]) for one in rounds if name in one]
