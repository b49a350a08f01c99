"""What happens to a stream in which nothing fails: a new champion, a worker more, one less.

All cores are everybody's, as on a small machine.
"""

from collections.abc import Callable, Collection, Mapping

from bench import champion
from bench.champion import Models
from bench.ground import Ground, ground
from bench.machine import cores
from bench.measure import Failed
from bench.rebalance import rebalanced
from bench.results import Results
from bench.say import say
from bench.swap import swapped

RATE = 1_000  # events a second, as the latency is measured
PARTS: Mapping[str, Callable[[Ground, Models, int], dict[str, float]]] = {
    "swap": swapped,
    "rebalance": rebalanced,
}


def run(results: Results, names: Collection[str], rate: int) -> None:
    """Measure parts; one that fails is told of in words."""
    with ground(worker_cores=len(cores())) as on:
        models = champion.models(on)
        for name in names:
            results.failures.pop(name, None)
            try:
                found = PARTS[name](on, models, rate)
            except Failed as error:
                say(f"  {name} failed: {error}")
                results.failures[name] = str(error)
                continue
            results.changes |= {"changes_events_per_s": float(rate)} | found
            for figure, of in found.items():
                say(f"  {figure}: {of:,.2f}")
