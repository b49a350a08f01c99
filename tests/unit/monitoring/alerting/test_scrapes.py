"""What a worker tells, as values; what it does not know stays unknown."""

import math
from pathlib import Path

import pytest

from monitoring.alerting import scrapes
from monitoring.alerting.scrapes import Unreadable

OPERATIONS = Path(__file__).parents[4] / "docs" / "operations.md"
PAGE = """\
# TYPE housing_predictions_total counter
housing_predictions_total{market="hdb",champion="v1",step="champion",quality="ok"} 7.0
housing_predictions_total{market="hdb",champion="v1",step="champion",quality="degraded"} 3.0
# TYPE housing_rejects_total counter
housing_rejects_total{code="price"} 2.0
# TYPE housing_latency_seconds histogram
housing_latency_seconds_bucket{le="0.5"} 11.0
housing_latency_seconds_bucket{le="+Inf"} 12.0
housing_latency_seconds_count 12.0
housing_latency_seconds_sum 6.0
# TYPE housing_batch_records histogram
housing_batch_records_bucket{le="+Inf"} 4.0
housing_batch_records_count 4.0
housing_batch_records_sum 12.0
# TYPE housing_uptime_seconds gauge
housing_uptime_seconds 60.0
# TYPE housing_events_total counter
housing_events_total{partition="0",kind="listing",verdict="scored"} 9.0
housing_events_total{partition="0",kind="listing",verdict="duplicate"} 4.0
housing_events_total{partition="0",kind="sale",verdict="joined"} 5.0
# TYPE housing_lag_seconds gauge
housing_lag_seconds{partition="0"} 0.5
housing_lag_seconds{partition="1"} 3.0
# TYPE housing_still_seconds gauge
housing_still_seconds{partition="0"} 1.0
"""


def test_a_page_is_read() -> None:
    told = scrapes.read(PAGE, at_s=5.0)

    assert (told.at_s, told.records, told.latencies, told.latency_total_s) == (5.0, 12.0, 12.0, 6.0)
    assert told.latencies_within == {0.5: 11.0, math.inf: 12.0}
    assert (told.predictions, told.rejects) == (10.0, 2.0)
    assert (told.lag_s, told.still_s) == (3.0, 1.0)


def test_a_repeated_listing_and_a_sale_want_no_price() -> None:
    assert scrapes.read(PAGE, 0.0).listings == {"0": 9.0}


def test_a_lag_that_one_partition_does_not_know_is_unknown() -> None:
    page = PAGE.replace(
        'housing_lag_seconds{partition="0"} 0.5', 'housing_lag_seconds{partition="0"} NaN'
    )

    assert scrapes.read(page, 0.0).lag_s is None


def test_a_worker_without_partitions_is_idle_and_not_ill() -> None:
    told = scrapes.read("# TYPE housing_uptime_seconds gauge\nhousing_uptime_seconds 1.0\n", 0.0)

    assert (told.records, told.lag_s, told.still_s) == (0.0, None, 0.0)


@pytest.mark.parametrize("page", ["", "<html>", "up 1.0\n", "housing_uptime_seconds{ x"])
def test_another_programs_page_is_refused(page: str) -> None:
    with pytest.raises(Unreadable):
        scrapes.read(page, 0.0)


def test_what_is_read_is_what_workers_show() -> None:
    """docs/operations.md is held up to the worker's own page by another test."""
    shown = OPERATIONS.read_text("utf-8")
    names = {line.split()[2] for line in PAGE.splitlines() if line.startswith("# TYPE")}

    assert [name for name in sorted(names) if name not in shown] == []
