import pytest

from bench import figures
from bench.results import Round, Run


def run(events: int, cpu_s: float = 1.0) -> Run:
    return Run(events=events, took_s=1.0, cpu_s=cpu_s, memory_mb=100.0)


ROUNDS: list[Round] = [
    {"ours": run(1_000), "peer": run(100)},
    {"ours": run(400), "peer": run(50)},  # the machine was busy with something else
    {"ours": run(1_200), "peer": run(100)},
]


def test_a_ratio_is_taken_within_a_round_so_that_a_busy_machine_touches_both() -> None:
    assert figures.ratios(ROUNDS, ["ours/peer"]) == {"ours/peer": 10.0}


def test_a_rate_is_the_median_of_the_rounds() -> None:
    assert figures.medians(ROUNDS, figures.rate) == {"ours": 1_000.0, "peer": 100.0}


def test_a_peer_that_failed_in_one_round_is_judged_by_the_others() -> None:
    without = [{"ours": run(700)}, *ROUNDS[1:]]

    assert figures.ratios(without, ["ours/peer"]) == {"ours/peer": 10.0}


def test_a_pair_that_never_ran_together_has_no_ratio() -> None:
    assert figures.ratios([{"ours": run(1)}, {"peer": run(1)}], ["ours/peer"]) == {}


def test_processor_time_is_told_for_each_event() -> None:
    assert figures.cpu_us_per_event(run(10_000, cpu_s=2.0)) == pytest.approx(200.0)
