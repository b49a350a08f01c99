"""A report that takes too much is ended, and the index says so; the caller goes on."""

import sys
from pathlib import Path

import pytest

from monitoring import index, job_process
from monitoring.asked import Asked, Kind
from monitoring.settings import MonitoringSettings
from monitoring.summary import Summary
from monitoring.windows import Window, Windows
from stream_app.contract.spans import DAY_MS

WINDOWS = Windows(None, Window(0, 28 * DAY_MS))


def asked(out: Path) -> Asked:
    return Asked(
        "hdb", WINDOWS, Path("archive"), out, "housing", (Kind.QUALITY, Kind.DATA), "daily"
    )


def ended(out: Path, code: str, within_s: float = 60) -> tuple[str, list[Summary]]:
    """Run Python code in the place of a report."""
    limits = MonitoringSettings(report_memory_mb=200, report_within_s=within_s)
    reason = job_process.run([sys.executable, "-c", code], asked(out), limits).reason
    return reason, [summary for _, summary in index.found(out)]


def test_a_report_that_takes_too_much_memory_is_a_finding(tmp_path: Path) -> None:
    reason, runs = ended(tmp_path, "x = bytearray(10**9)")

    assert reason.startswith("ended with status 1: MemoryError; 200 MB of memory were allowed")
    assert [(run.failed, run.job, run.windows) for run in runs] == [
        (True, "daily", "1970-01-01..1970-01-29")
    ]
    assert runs[0].findings == (f"not measured (quality, data): {reason}",)


def test_a_report_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    reason, runs = ended(tmp_path, "import signal; signal.pause()", within_s=0.5)

    assert reason == "ended after 0.5 s (setting report_within_s)"
    assert runs[0].failed


def test_a_report_that_the_kernel_kills_is_a_finding(tmp_path: Path) -> None:
    reason, runs = ended(tmp_path, "import os; os.kill(os.getpid(), 9)")

    assert reason.startswith("ended with signal 9: it said nothing")
    assert runs[0].failed


def test_a_report_that_measures_files_itself(tmp_path: Path) -> None:
    assert ended(tmp_path, "pass") == ("", [])


def test_a_ctrl_c_ends_the_caller_and_leaves_the_report_due(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        ended(tmp_path, "raise SystemExit(130)")

    assert index.found(tmp_path) == []


def test_a_report_is_asked_for_by_its_own_command_line() -> None:
    told = " ".join(job_process.command(asked(Path("out")))[1:])

    assert told == (
        "-m monitoring report --market hdb --dir archive --out out --kind quality --kind data"
        " --current 1970-01-01..1970-01-29 --job daily"
    )
