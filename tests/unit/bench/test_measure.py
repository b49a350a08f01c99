import os

import pytest

from bench import measure, usage
from bench.measure import Failed, Sample


def sample(at_s: float, events: int, cpu_s: float = 0.0, memory_mb: float = 100.0) -> Sample:
    return Sample(at_s, events, cpu_s, memory_mb)


def test_what_was_done_before_the_warm_up_does_not_count() -> None:
    seen = [sample(10, 5), sample(11, 500, 1.0), sample(12, 1_000, 1.5), sample(14, 3_000, 2.5)]

    run = measure.run_of(seen, warm_up_s=2.0)

    assert (run.events, run.took_s, run.cpu_s) == (2_000, 2.0, 1.0)


def test_who_is_through_before_it_is_warm_is_judged_from_its_first_sample_on() -> None:
    run = measure.run_of([sample(0, 100), sample(1, 50_100)], warm_up_s=2.0)

    assert (run.events, run.took_s) == (50_000, 1.0)


def test_memory_is_the_most_that_was_seen() -> None:
    seen = [sample(0, 0), sample(1, 1_000, memory_mb=300.0), sample(2, 2_000)]

    assert measure.run_of(seen, warm_up_s=0.0).memory_mb == 300.0


def test_a_handful_of_events_is_no_rate() -> None:
    with pytest.raises(Failed, match="only 1 events"):
        measure.run_of([sample(0, 1), sample(4, 2)], warm_up_s=0.0)


def test_a_process_is_looked_at_as_linux_tells_of_it() -> None:
    line = "7 (a (strange) name) S 1 7 7 0 -1 0 0 0 0 0 250 50 0 0 20 0 9 0 100 5 2560 1"

    found = usage.read_stat(line)

    assert found.cpu_s == pytest.approx(300 / os.sysconf("SC_CLK_TCK"))
    assert found.memory_mb == pytest.approx(2_560 * os.sysconf("SC_PAGE_SIZE") / 2**20)


def test_this_process_has_used_something() -> None:
    assert usage.usage(os.getpid()).memory_mb > 1
