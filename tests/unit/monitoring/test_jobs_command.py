"""The reports of the schedule over a small archive of two years: all kinds, filed, not due again."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from monitoring import __main__ as command
from monitoring import index, job_process, scheduler
from monitoring.asked import Asked, Kind
from monitoring.frames import Market
from monitoring.summary import Summary
from monitoring.windows import parse
from stream_app.contract import wire
from stream_app.contract.topics import EVENTS
from tests import builders, flow
from tests.unit.monitoring import archives

# A Monday. 200 homes are listed within 20 days of it, and as many of a year before: each is sold
# 20 days later.
START_MS = parse("2015-03-02..2015-03-03").from_ms
YEAR_BEFORE_MS = START_MS - 364 * flow.DAY_MS


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("archive")
    archives.put_champion(
        root, flow.manifest(trained_to_ms=YEAR_BEFORE_MS, holdout_abs_log_errors=(0.1,) * 50)
    )
    archives.put_pairs(root, flow.pairs(200, start_ms=YEAR_BEFORE_MS))
    archives.put_pairs(root, flow.pairs(200, seed=2, first=200, start_ms=START_MS))
    listed = [
        builders.listing(listing_id=f"home-{n}", event_time_ms=START_MS + n * flow.DAY_MS // 10)
        for n in range(-200, 200)
    ]
    archives.put(root, EVENTS, [wire.encode(event) for event in listed])
    return root


@pytest.fixture(scope="module")
def out(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that is due was reported, here without the processes of their own."""
    folder = tmp_path_factory.mktemp("reports")
    for asked in due(archive, folder):
        assert command.main(job_process.command(asked)[3:]) == 0
    return folder


def due(archive: Path, out: Path) -> list[Asked]:
    return list(scheduler.due(Market(archive, archives.PREFIX, flow.MARKET), out))


def of_job(out: Path, name: str) -> Summary:
    return next(summary for _, summary in index.found(out) if summary.job == name)


def test_what_was_reported_is_not_due_again(archive: Path, out: Path, tmp_path: Path) -> None:
    assert [asked.job for asked in due(archive, tmp_path)] == ["daily", "weekly"]
    assert due(archive, out) == []


def test_jobs_end_by_sigterm_as_by_ctrl_c(archive: Path, tmp_path: Path) -> None:
    told = ["jobs", "run", "--market", "hdb", "--dir", str(archive), "--out", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "monitoring", *told], stderr=subprocess.PIPE, text=True
    ) as jobs:
        assert jobs.stderr
        assert "nothing is due" in jobs.stderr.readline()
        jobs.terminate()
        assert jobs.wait(30) == 130


def test_the_scheduler_goes_on_after_a_report_that_was_ended(
    archive: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOUSING_MONITORING_REPORT_MEMORY_MB", "10")
    once = ["jobs", "run", "--once", "--json", "--dir", str(archive), "--out", str(tmp_path)]

    assert command.main(once) == 1
    told = msgspec.json.decode(capsys.readouterr().out)
    assert [one["job"] for one in told["reports"]] == ["daily", "weekly"]
    assert all(one["reason"] for one in told["reports"])
    assert all(summary.failed for _, summary in index.found(tmp_path))

    assert command.main(once) == 0  # told once: an ended report is not tried again by itself
    assert msgspec.json.decode(capsys.readouterr().out) == {"reports": [], "removed": 0}


def test_a_market_without_an_archive_is_due_nothing(archive: Path, out: Path) -> None:
    assert list(scheduler.due(Market(archive, archives.PREFIX, "hdb"), out)) == []


def test_the_weekly_report_compares_with_the_season_too(out: Path) -> None:
    weekly = of_job(out, "weekly")

    assert weekly.windows == "2015-03-09..2015-04-06"
    assert weekly.season is not None
    assert weekly.season.reference.from_day == "2014-03-10"
    assert weekly.season.drifted == ()
    assert "season.html" in weekly.files


def test_the_daily_report_judges_sales_by_age_the_listed_homes_and_the_data(out: Path) -> None:
    daily = of_job(out, "daily")

    assert daily.quality is not None
    assert daily.data is not None
    assert daily.quality.by_age[0].sales == daily.quality.current.rows > 100
    assert daily.quality.cohort is not None
    assert daily.quality.cohort.listed == daily.quality.cohort.sold > 0
    assert daily.quality.holdout is not None
    assert daily.quality.holdout.error_log == pytest.approx(0.1)
    assert daily.data.dimensions["accuracy"].share == 1.0
    assert list(daily.kind_seconds) == [Kind.QUALITY, Kind.DATA]
    assert "data.html" in daily.files


def test_each_report_lies_in_the_workspace_as_snapshots(out: Path) -> None:
    kept = {path.stem for path in (out / "workspace").glob("*/snapshots/*.json")}

    assert kept == {name for _, summary in index.found(out) for name in summary.snapshots}
    assert len(kept) == 3  # drift, season, data; nothing was sold in the four weeks before


def test_a_live_error_far_from_the_holdout_is_told(archive: Path, tmp_path: Path) -> None:
    """A champion whose holdout knew the answers."""
    archives.put_champion(archive, flow.manifest(version="v1", holdout_abs_log_errors=(0.02,) * 50))
    asked = due(archive, tmp_path)[0]._replace(kinds=(Kind.QUALITY,))

    assert command.main(job_process.command(asked)[3:]) == 0

    assert any("in its holdout" in found for found in of_job(tmp_path, "daily").findings)


def test_old_reports_are_removed_by_hand_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["jobs", "prune", "--out", str(tmp_path), "--dry-run", "--json"]) == 0

    told = msgspec.json.decode(capsys.readouterr().out)
    assert told == {"runs": [], "kept": 0, "dry_run": True}
    command.main(["jobs", "prune", "--out", str(tmp_path)])
    assert capsys.readouterr().out == f"reports that are gone: 0, kept: 0, in {tmp_path}\n"


@pytest.mark.parametrize("words", [["jobs", "run", "--once", "--dir"], ["ui", "--out"]])
def test_a_folder_that_is_not_there_is_wrong_input(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([*words, "nowhere"]) == 2

    assert capsys.readouterr().err.count("\n") == 1
