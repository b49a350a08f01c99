"""How far a system of this kind grows: a model of its costs, and a simulation of its partitions.

The model multiplies: what an event costs a worker and the broker, what a home and a region weigh.
The simulation adds what multiplication hides: regions are of unequal size and fall on partitions
by their hash, a partition is worked off by one core at most, and a worker that dies gives its
partitions to the others after they have read its state. Pure: costs and load in, figures out.
"""

import math
import statistics

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bench.results import Results
from bench.weights import Weights
from stream_app.contract.ids import partition_of

FEW, MANY = 100, 10_000  # regions of the recoveries that costs are fitted to


class NotMeasured(Exception):
    """There is nothing to fit the costs to; the text says what to run."""


class Costs(Struct, frozen=True):
    """What was measured, on one core."""

    worker_cpu_us: float  # a worker, for each event
    broker_cpu_us: (
        float  # the broker, for what a worker reads and writes; not for what is sent to it
    )
    written_bytes: float  # by a worker, for each event, as packed on the wire
    region_bytes: float  # a region's record
    home_bytes: float  # a home's entry in the ledger
    memory_factor: float  # resident bytes of a worker for each byte of state
    worker_base_mb: float  # a worker without any state
    recovered_bytes_per_s: float  # how fast a worker reads its state
    detected_s: float = 10.0  # until a dead worker's partitions are given away


class Demand(Struct, frozen=True):
    """What is asked for."""

    homes: int = 10_000_000
    regions: int = 50_000
    events_per_s: float = 50_000.0
    partitions: int = 200
    event_bytes: float = 600.0
    replicas: int = 3
    busy_share_max: float = 0.7  # of a core, so that bursts and rebalances find room
    zipf: float = 0.8  # how unequal regions are: the n-th has n ** -zipf of the first


class Need(Struct, frozen=True):
    """What that comes to."""

    workers: int  # of one core each
    brokers: int  # cores
    hottest_share: float  # of all events, in one partition
    hottest_core_share: (
        float  # of one core that the hottest partition takes; above 1 it falls behind
    )
    state_gb: float  # in all
    worker_memory_mb: float
    recovery_s: float  # of the partitions of a worker that died, the time until it is noticed in it
    catch_up_s: float  # until what waited meanwhile is worked off; inf: never
    network_mb_per_s: float  # into and out of all brokers


def shares(demand: Demand) -> NDArray[np.float64]:
    """The share of all events in each partition: regions by size, dealt by the hash of their names."""
    sizes = np.arange(1, demand.regions + 1, dtype=float) ** -demand.zipf
    places = [
        partition_of(f"region-{number}".encode(), demand.partitions)
        for number in range(demand.regions)
    ]
    dealt = np.bincount(places, weights=sizes, minlength=demand.partitions)
    found: NDArray[np.float64] = dealt / dealt.sum()
    return found


def need(demand: Demand, costs: Costs) -> Need:
    """What a demand comes to at these costs."""
    parts = shares(demand)
    cores = demand.events_per_s * costs.worker_cpu_us / 1e6
    workers = min(demand.partitions, max(1, math.ceil(cores / demand.busy_share_max)))
    state = state_bytes(demand, costs)
    down_s = recovery_s(demand, costs, workers)
    return Need(
        workers=workers,
        brokers=math.ceil(
            demand.events_per_s * broker_cpu_us(demand, costs) / 1e6 / demand.busy_share_max
        ),
        hottest_share=float(parts.max()),
        hottest_core_share=float(parts.max()) * cores,
        state_gb=state / 1e9,
        worker_memory_mb=costs.worker_base_mb + state / workers * costs.memory_factor / 1e6,
        recovery_s=down_s,
        catch_up_s=catch_up_s(down_s, cores / workers),
        network_mb_per_s=demand.events_per_s * network_mb(demand, costs),
    )


def catch_up_s(down_s: float, busy_share: float) -> float:
    """How long a backlog of `down_s` takes to work off beside what goes on coming.

    >>> catch_up_s(10.0, busy_share=0.5)
    10.0
    """
    return down_s * busy_share / (1 - busy_share) if busy_share < 1 else math.inf


class Second(Struct, frozen=True):
    """A second of a simulated run, at its end."""

    lag_events: float  # in all partitions
    lag_max_s: float  # the longest that an event waits, in whichever partition


def simulate(
    demand: Demand, costs: Costs, workers: int, dies_at_s: int, seconds: int, seed: int
) -> list[Second]:
    """Second by second: arrivals by chance, each worker's core shared by its partitions.

    Worker 0 dies at `dies_at_s`. Its partitions stand still until it is noticed and the others
    have read their state; then the others have them.
    """
    draw = np.random.default_rng(seed)
    rates = shares(demand) * demand.events_per_s
    owners = np.arange(demand.partitions) % workers
    lost = owners == 0
    others = 1 + np.arange(demand.partitions) % max(1, workers - 1)
    back_s = dies_at_s + recovery_s(demand, costs, workers)
    lag = np.zeros(demand.partitions)
    course = []
    for second in range(seconds):
        lag += draw.poisson(rates)
        if workers > 1 and second >= back_s:
            owners = np.where(lost, others, owners)
        stands = lost & (dies_at_s <= second < back_s)
        worked = worked_off(np.where(stands, 0.0, lag), owners, 1e6 / costs.worker_cpu_us)
        lag = np.where(stands, lag, worked)
        course.append(Second(float(lag.sum()), float((lag / rates).max())))
    return course


def worked_off(
    lag: NDArray[np.float64], owners: NDArray[np.intp], events_per_s: float
) -> NDArray[np.float64]:
    """What is left after a second in which each worker's core served its partitions alike.

    >>> worked_off(np.array([30.0, 10.0, 5.0]), np.array([0, 0, 1]), events_per_s=20.0).tolist()
    [15.0, 5.0, 0.0]
    """
    waiting = np.bincount(owners, weights=lag)
    done_share = np.minimum(1.0, events_per_s / np.maximum(waiting, 1.0))
    found: NDArray[np.float64] = lag * (1 - done_share[owners])
    return found


def recovery_s(demand: Demand, costs: Costs, workers: int) -> float:
    """Until the partitions of a dead worker are read on: noticed, and their state read."""
    return costs.detected_s + state_bytes(demand, costs) / workers / costs.recovered_bytes_per_s


def state_bytes(demand: Demand, costs: Costs) -> float:
    return demand.homes * costs.home_bytes + demand.regions * costs.region_bytes


def breaks(
    demand: Demand, costs: Costs, broker_cores: int, network_mb_per_s: float
) -> dict[str, float]:
    """What gives way, and at how many events a second, in the order in which a growing load meets it.

    Cores of brokers and their network are what there is; workers may be as many as partitions.
    """
    worker_events_per_s = 1e6 / costs.worker_cpu_us
    broker_events_per_s = 1e6 / broker_cpu_us(demand, costs)
    limits = {
        "the hottest partition fills a core": worker_events_per_s / float(shares(demand).max()),
        "a worker for each partition is full": worker_events_per_s
        * demand.partitions
        * demand.busy_share_max,
        f"{broker_cores} cores of brokers are full": broker_events_per_s
        * broker_cores
        * demand.busy_share_max,
        f"{network_mb_per_s:,.0f} MB/s of network are full": network_mb_per_s
        / network_mb(demand, costs),
    }
    return dict(sorted(limits.items(), key=lambda each: each[1]))


def broker_cpu_us(demand: Demand, costs: Costs) -> float:
    """For an event, on all brokers: a copy is taken to cost what the first one does."""
    return costs.broker_cpu_us * demand.replicas


def network_mb(demand: Demand, costs: Costs) -> float:
    """For an event: in once, out to a reader, and to each other copy."""
    return (demand.event_bytes + costs.written_bytes) * (1 + demand.replicas) / 1e6


def fitted(results: Results, weighed: Weights) -> Costs:
    """The costs as they were measured.

    Raises
    ------
    NotMeasured : names the commands that were not run
    """
    recovered = results.offline
    ours = [one["ours"] for one in results.rounds if "ours" in one]
    if not ours or f"recovery_read_s_{MANY}_regions" not in recovered:
        raise NotMeasured(
            "costs are fitted to what `online` and `offline` measured: run them first"
        )
    state_mb, memory_mb = (
        [recovered[f"recovery_{what}_mb_{regions}_regions"] for regions in (FEW, MANY)]
        for what in ("state", "memory")
    )
    factor = (memory_mb[1] - memory_mb[0]) / (state_mb[1] - state_mb[0])
    return Costs(
        worker_cpu_us=results.cpu_us_per_event["ours"],
        broker_cpu_us=statistics.median(1e6 * run.broker_cpu_s / run.events for run in ours),
        written_bytes=weighed.written_bytes,
        region_bytes=weighed.region_bytes,
        home_bytes=weighed.home_bytes,
        memory_factor=factor,
        worker_base_mb=memory_mb[0] - factor * state_mb[0],
        recovered_bytes_per_s=1e6 * state_mb[1] / recovered[f"recovery_read_s_{MANY}_regions"],
    )
