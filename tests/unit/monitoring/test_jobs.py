"""Reports are due by the market's own time, once each."""

from datetime import UTC, datetime

import pytest

from monitoring import jobs
from monitoring.jobs import JOBS, Job
from monitoring.windows import words
from stream_app.contract.spans import DAY_MS

DAILY, WEEKLY = JOBS


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def window(job: Job, now: str, done: str | None = None) -> str | None:
    windows = jobs.due(job, at(now), None if done is None else at(done))
    assert windows is None or windows.reference is None
    return None if windows is None or windows.current is None else words(windows.current)


def test_a_daily_report_ends_at_midnight_and_has_each_weekday_four_times() -> None:
    assert window(DAILY, "2015-03-30T14:00") == "2015-03-02..2015-03-30"


def test_a_weekly_report_ends_on_a_monday() -> None:
    assert window(WEEKLY, "2015-04-05T23:59") == "2015-03-02..2015-03-30"
    assert window(WEEKLY, "2015-04-06T00:00") == "2015-03-09..2015-04-06"


@pytest.mark.parametrize("job", JOBS, ids=lambda job: str(job.name))
def test_what_was_reported_is_not_due_again_until_its_time(job: Job) -> None:
    assert window(job, "2015-03-30T14:00", done="2015-03-30") is None
    assert window(job, "2015-04-06T00:00", done="2015-03-30") is not None


def test_of_what_is_overdue_only_the_newest_is_made() -> None:
    assert window(DAILY, "2016-05-02T00:01", done="2015-03-30") == "2016-04-04..2016-05-02"


def test_one_wrong_clock_does_not_move_the_market() -> None:
    now_ms = at("2015-03-30")

    assert jobs.market_time_ms([now_ms - DAY_MS, now_ms, at("2031-01-01")]) == now_ms
