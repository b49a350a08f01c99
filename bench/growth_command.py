"""`python -m bench growth` and `capacity`: more workers here, and many more on paper."""

import argparse
import json

import msgspec

from bench import capacity, champion, growth, load, results, weights
from bench.capacity import Costs, Demand
from bench.hand_loop import served
from bench.results import Results
from bench.say import say

FAILED = 1
_EVENTS_WEIGHED = 15_000
# The second hand of the paper: three brokers of 4 cores, 10 Gbit/s each.
_BROKER_CORES, _NETWORK_MB_PER_S = 12, 3 * 1_250.0
_DIES_AT_S, _SIMULATED_S, _SEED = 60, 600, 1


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    shared = commands.add_parser(
        "growth",
        help="one, two and three workers on this machine",
        description="How many events a second one, two and three workers take on all cores.",
    )
    shared.add_argument(
        "--window", type=float, default=8.0, metavar="SECONDS", help="default %(default)g"
    )
    shared.set_defaults(run=run)
    on_paper = commands.add_parser(
        "capacity",
        help="what many more events would need, by a model of the costs measured here",
        description="Fit a model to the results of `online` and `offline`, and simulate a load.",
    )
    asked = Demand()
    for name, what in (
        ("homes", "in the ledgers"),
        ("regions", "with a record"),
        ("partitions", "of the events"),
        ("events-per-s", "in all"),
    ):
        default = getattr(asked, name.replace("-", "_"))
        on_paper.add_argument(
            f"--{name}",
            type=type(default),
            default=default,
            metavar="N",
            help=f"{what} (default {default:,})",
        )
    on_paper.add_argument("--json", action="store_true", help="one line of JSON")
    on_paper.set_defaults(run=run_capacity)


def run(given: argparse.Namespace) -> int:
    found = results.load()
    growth.run(found, given.window)
    results.save(found)
    return 0


def run_capacity(given: argparse.Namespace) -> int:
    """Say what the load that is asked for comes to, at the costs that were measured."""
    found = results.load()
    try:
        plan(found, Demand(given.homes, given.regions, given.events_per_s, given.partitions))
    except FileNotFoundError as error:
        say(f"bench capacity: {error}")
        return FAILED
    results.save(found)
    if given.json:
        print(json.dumps({"capacity": found.capacity, "breaks": found.breaks}))
    for name, figure in (found.capacity | found.breaks).items():
        say(f"{name:>40} {figure:,.3g}" if figure < 1_000 else f"{name:>40} {figure:,.0f}")
    return 0


def plan(found: Results, demand: Demand) -> None:
    """Fit the costs to what was measured, and add what such a load comes to.

    Raises
    ------
    FileNotFoundError : the bench has no champion yet
    NotMeasured : something is missing of what the costs are fitted to
    """
    models = champion.kept()
    weighed = weights.weigh(
        list(load.told(load.real_events()[:_EVENTS_WEIGHED], 1)), served(models)
    )
    costs = capacity.fitted(found, weighed)
    demand = msgspec.structs.replace(demand, event_bytes=weighed.event_bytes)
    found.capacity = told(demand, costs)
    found.breaks = capacity.breaks(demand, costs, _BROKER_CORES, _NETWORK_MB_PER_S)


def told(demand: Demand, costs: Costs) -> dict[str, float]:
    """What is asked for, the costs, what that comes to, and how a worker's death goes by."""
    need = capacity.need(demand, costs)
    course = capacity.simulate(demand, costs, need.workers, _DIES_AT_S, _SIMULATED_S, _SEED)
    waited_s = [second.lag_max_s for second in course]
    behind = [n for n, lag_s in enumerate(waited_s) if n >= _DIES_AT_S and lag_s > 1]
    return {
        **{name: float(of) for name, of in msgspec.structs.asdict(demand).items()},
        **msgspec.structs.asdict(costs),
        **{name: float(of) for name, of in msgspec.structs.asdict(need).items()},
        "simulated_wait_max_s": max(waited_s),
        "simulated_behind_s": float(behind[-1] + 1 - _DIES_AT_S) if behind else 0.0,
    }
