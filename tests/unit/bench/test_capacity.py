import math

import msgspec
import numpy as np
import pytest

from bench import capacity
from bench.capacity import Costs, Demand, NotMeasured
from bench.results import Results, Run
from bench.weights import Weights

COSTS = Costs(
    worker_cpu_us=100.0,
    broker_cpu_us=20.0,
    written_bytes=1_000.0,
    region_bytes=5_000.0,
    home_bytes=1_000.0,
    memory_factor=2.0,
    worker_base_mb=200.0,
    recovered_bytes_per_s=50e6,
    detected_s=10.0,
)
SMALL = Demand(homes=100_000, regions=1_000, events_per_s=14_000.0, partitions=20, zipf=0.0)


def test_partitions_share_all_events() -> None:
    parts = capacity.shares(SMALL)

    assert parts.shape == (20,)
    assert parts.sum() == pytest.approx(1.0)


def test_unequal_regions_make_a_hot_partition() -> None:
    unequal = msgspec.structs.replace(SMALL, zipf=1.0)

    assert capacity.shares(unequal).max() > 2 * capacity.shares(SMALL).max()


def test_workers_are_as_many_as_their_busy_share_allows() -> None:
    # 14,000 events a second of 100 us are 1.4 cores; at 0.7 of each, two.
    assert capacity.need(SMALL, COSTS).workers == 2


def test_there_are_never_more_workers_than_partitions() -> None:
    much = msgspec.structs.replace(SMALL, events_per_s=1e6)

    need = capacity.need(much, COSTS)

    assert need.workers == 20
    assert need.catch_up_s == math.inf


def test_what_gives_way_first_comes_first() -> None:
    found = list(capacity.breaks(SMALL, COSTS, broker_cores=4, network_mb_per_s=1_000).values())

    assert found == sorted(found)


def test_a_hot_partition_gives_way_before_all_workers_are_full() -> None:
    unequal = msgspec.structs.replace(SMALL, zipf=1.2)
    found = capacity.breaks(unequal, COSTS, broker_cores=1_000, network_mb_per_s=1e9)

    assert next(iter(found)) == "the hottest partition fills a core"


def test_a_death_is_caught_up_with() -> None:
    course = capacity.simulate(SMALL, COSTS, workers=3, dies_at_s=5, seconds=120, seed=1)

    assert course[4].lag_max_s < 1
    assert course[14].lag_max_s > 8
    assert course[-1].lag_max_s < 1


def test_too_few_survivors_never_catch_up() -> None:
    course = capacity.simulate(SMALL, COSTS, workers=2, dies_at_s=5, seconds=120, seed=1)

    assert course[-1].lag_events > course[60].lag_events


def test_without_a_death_nothing_waits() -> None:
    course = capacity.simulate(SMALL, COSTS, workers=3, dies_at_s=1_000, seconds=60, seed=1)

    assert max(second.lag_max_s for second in course) < 1


def test_a_core_serves_its_partitions_alike() -> None:
    left = capacity.worked_off(np.array([10.0, 30.0]), np.array([0, 0]), events_per_s=20.0)

    assert left.tolist() == [5.0, 15.0]


def test_costs_are_those_that_were_measured() -> None:
    measured = Results(
        rounds=[{"ours": Run(1_000, 1.0, 0.15, 300.0, broker_cpu_s=0.03)}],
        cpu_us_per_event={"ours": 150.0},
        offline={
            "recovery_state_mb_100_regions": 10.0,
            "recovery_state_mb_10000_regions": 60.0,
            "recovery_memory_mb_100_regions": 220.0,
            "recovery_memory_mb_10000_regions": 320.0,
            "recovery_read_s_10000_regions": 2.0,
        },
    )

    costs = capacity.fitted(measured, Weights(600.0, 900.0, 5_000.0, 1_100.0, 60e6))

    assert costs.worker_cpu_us == 150.0
    assert costs.broker_cpu_us == pytest.approx(30.0)
    assert costs.memory_factor == pytest.approx(2.0)
    assert costs.worker_base_mb == pytest.approx(200.0)
    assert costs.recovered_bytes_per_s == pytest.approx(30e6)


def test_what_was_not_measured_is_no_cost() -> None:
    with pytest.raises(NotMeasured, match="online"):
        capacity.fitted(Results(), Weights(1.0, 1.0, 1.0, 1.0, 1.0))
