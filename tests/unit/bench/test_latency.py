"""From append to visible: what is timed, and where the time went."""

import pytest

from bench import latency
from bench.latency import Plan, Work
from bench.pacing import Place
from bench.reader import Visible

APPENDED_MS = {Place(0, 7): 1_000, Place(1, 3): 1_010}
SEEN = [
    Visible(Place(0, 7), "v1", written_ms=6.0, received_ms=1_010.0),
    Visible(Place(1, 3), "v1", written_ms=8.0, received_ms=1_024.0),
    Visible(Place(0, 2), "v1", written_ms=900.0, received_ms=1_001.0),  # of the warm-up
]


def work(batches: int, records: int, step_s: float, commit_s: float, cpu_s: float) -> Work:
    counted = {
        "housing_batch_records_count": batches,
        "housing_batch_records_sum": records,
        "housing_step_seconds_sum": step_s,
        "housing_commit_seconds_sum": commit_s,
    }
    return Work(cpu_s, 2 * cpu_s, {name: float(count) for name, count in counted.items()})


def test_a_wait_is_from_the_append_of_the_cause_to_the_reader_and_the_warm_up_has_none() -> None:
    assert latency.waits(APPENDED_MS, SEEN) == [10.0, 14.0]


def test_what_was_never_seen_has_waited_until_now() -> None:
    assert latency.unseen(APPENDED_MS, SEEN[:1], until_ms=9_010.0) == [8_000.0]


def test_the_stages_of_a_wait_add_up_to_it() -> None:
    before, after = work(10, 100, 1.0, 1.0, cpu_s=3.0), work(14, 120, 1.008, 1.02, cpu_s=3.01)

    found = latency.stages(APPENDED_MS, SEEN, before, after)

    assert found["step_ms"] == pytest.approx(2.0)
    assert found["commit_ms"] == pytest.approx(5.0)
    assert found["events_per_batch"] == 5.0
    assert found["worker_cpu_us_per_event"] == pytest.approx(500.0)
    assert found["broker_cpu_us_per_event"] == pytest.approx(1_000.0)
    parts = found["until_step_ms"] + found["step_ms"] + found["step_to_seen_ms"]
    assert parts == pytest.approx(12.0)


def test_loads_of_one_rate_have_names_of_their_own() -> None:
    loads = [Plan(500), Plan(500, with_champion=False), Plan(500, in_bursts=True)]

    assert len({load.name for load in loads}) == 3


def test_a_worker_that_is_a_second_behind_does_not_keep_up_and_one_of_less_does() -> None:
    assert latency.note(1_000, waiting=999, unseen=0) == ""
    assert latency.note(1_000, waiting=1_000, unseen=0).startswith("does not keep up: 1,000 events")


def test_events_that_were_never_waited_for_are_told() -> None:
    assert "7,000 predictions are not seen" in latency.note(5_000, waiting=20_000, unseen=7_000)
