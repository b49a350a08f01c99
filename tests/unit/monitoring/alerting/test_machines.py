"""A worker is ill by figures of enough records, unknown when silent, and one cause is one alert."""

import math
from collections.abc import Mapping

import msgspec

from monitoring.alerting import limits, machines
from monitoring.alerting.causes import Condition
from monitoring.alerting.machines import Worker
from monitoring.alerting.scrapes import Scrape
from stream_app.contract.alerts import Alert, Severity

L = limits.shipped()
LISTED: Mapping[str, float] = {"0": 100.0}
BEGUN = Scrape(
    at_s=0.0,
    records=1_000.0,
    latency_total_s=10.0,
    latencies=1_000.0,
    predictions=500.0,
    rejects=5.0,
    listings=LISTED,
    lag_s=0.0,
)


def later(at_s: float = L.window_s, **changes: object) -> Scrape:
    return msgspec.structs.replace(BEGUN, **{"at_s": at_s} | changes)


def judged(*told: Scrape) -> list[Alert]:
    worker = Worker("127.0.0.1:9101")
    for scrape in told:
        worker.answered(scrape, L)
    return machines.judge(worker, now_ms=7, now_s=told[-1].at_s, limits=L)


def causes(alerts: list[Alert]) -> list[str]:
    return [alert.cause for alert in alerts]


def test_a_worker_that_is_well_has_no_alert() -> None:
    well = later(records=2_000.0, latencies=2_000.0, latency_total_s=30.0, rejects=10.0)

    assert judged(BEGUN, well) == []


def test_a_mean_latency_over_the_limit_is_told_with_its_figures() -> None:
    (told,) = judged(BEGUN, later(latencies=1_100.0, latency_total_s=110.0))

    assert told.cause == Condition.LATENCY
    assert (told.value, told.baseline, told.sample_size) == (1.0, L.latency_mean_max_s, 100)
    assert told.segment == "worker=127.0.0.1:9101"
    assert told.severity is Severity.WARNING


def within(half: float, one: float, more: float) -> Mapping[float, float]:
    """So many events took up to half a second, to one, and longer."""
    return {0.5: half, 1.0: half + one, math.inf: half + one + more}


SLOW_SOMETIMES = later(
    latencies=1_100.0, latency_total_s=30.0, latencies_within=within(1_094.0, 4.0, 2.0)
)


def test_one_event_of_twenty_that_is_late_is_told_where_the_mean_is_good() -> None:
    begun = msgspec.structs.replace(BEGUN, latencies_within=within(1_000.0, 0.0, 0.0))

    (told,) = judged(begun, SLOW_SOMETIMES)

    assert told.cause == Condition.LATENCY
    assert (told.value, told.baseline, told.sample_size) == (1.0, L.latency_p95_max_s, 100)
    assert told.summary == (
        "more than 5 % of 100 events took over 0.5 s, 95 % up to 1; 0.5 allowed"
    )


def test_what_was_late_before_the_window_is_not_one_of_twenty_now() -> None:
    begun = msgspec.structs.replace(BEGUN, latencies_within=within(994.0, 4.0, 2.0))

    assert judged(begun, SLOW_SOMETIMES) == []


def test_a_p95_beyond_all_buckets_is_told_as_the_last_of_them() -> None:
    begun = msgspec.structs.replace(BEGUN, latencies_within=within(1_000.0, 0.0, 0.0))
    beyond = msgspec.structs.replace(SLOW_SOMETIMES, latencies_within=within(1_080.0, 0.0, 20.0))

    assert [told.value for told in judged(begun, beyond)] == [1.0]


def test_what_is_many_times_over_its_limit_is_critical() -> None:
    (told,) = judged(BEGUN, later(latencies=1_100.0, latency_total_s=10_010.0))

    assert told.severity is Severity.CRITICAL


def test_the_latency_before_the_window_does_not_count() -> None:
    bad = later(latencies=1_100.0, latency_total_s=510.0)
    after = [
        later(at_s=L.window_s + s, latencies=1_100.0 + s, latency_total_s=510.0 + s / 100)
        for s in range(15, 400, 15)
    ]

    assert causes(judged(BEGUN, bad)) == [Condition.LATENCY]
    assert judged(BEGUN, bad, *after) == []


def test_what_had_waited_for_a_worker_to_begin_is_not_its_latency() -> None:
    assert judged(BEGUN, later(at_s=10.0, latencies=1_100.0, latency_total_s=510.0)) == []


def test_a_few_records_say_nothing() -> None:
    few = later(records=1_010.0, rejects=15.0, latencies=1_010.0, latency_total_s=100.0)

    assert judged(BEGUN, few) == []


def test_a_share_of_refused_events_over_the_limit_is_told() -> None:
    (told,) = judged(BEGUN, later(records=1_100.0, rejects=15.0))

    assert (told.cause, told.value, told.sample_size) == (Condition.REFUSED_SHARE, 0.1, 100)


def test_who_lags_is_late_by_nature() -> None:
    behind = later(lag_s=L.lag_max_s + 1, latencies=1_100.0, latency_total_s=9_000.0)

    assert causes(judged(BEGUN, behind)) == [Condition.LAG]


def test_an_unknown_lag_is_not_judged() -> None:
    assert judged(BEGUN, later(lag_s=None)) == []


def test_listings_that_come_without_a_price_are_told() -> None:
    more = {"0": 150.0}

    assert causes(judged(BEGUN, later(L.stale_after_s, listings=more))) == [Condition.STALE]
    assert judged(BEGUN, later(L.stale_after_s, listings=more, predictions=501.0)) == []


def test_a_partition_that_moved_here_brings_no_listings() -> None:
    moved = {**LISTED, "1": 90_000.0}

    assert judged(BEGUN, later(L.stale_after_s, listings=moved)) == []


def test_a_worker_that_stands_still_with_something_to_do_is_told() -> None:
    assert causes(judged(BEGUN, later(still_s=L.stale_after_s + 1))) == [Condition.STALE]


def test_a_process_that_began_anew_has_no_past() -> None:
    anew = later(records=10.0, latencies=10.0, latency_total_s=0.1, predictions=5.0, rejects=0.0)

    assert judged(BEGUN, anew) == []


def test_a_silent_worker_is_unknown_first_and_told_later() -> None:
    worker = Worker("127.0.0.1:9101")
    worker.answered(BEGUN, L)
    told = []
    for second in (0.0, 60.0, L.unreachable_after_s):
        worker.was_silent(second)
        told.append(causes(machines.judge(worker, 7, second, L)))

    assert worker.is_unknown
    assert told == [[], [], [Condition.UNREACHABLE]]


def test_a_worker_that_answers_again_is_known() -> None:
    worker = Worker("127.0.0.1:9101")
    worker.was_silent(0.0)
    worker.answered(BEGUN, L)

    assert not worker.is_unknown
    assert machines.judge(worker, 7, 999.0, L) == []
