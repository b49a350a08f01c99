"""The folders of report runs: begun, filed, and removed when they are old.

A run is a folder below the report folder. Not here: what is measured (report_command.py), how
runs are listed (index.py).
"""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from monitoring import index, windows, workspace
from monitoring.asked import Asked
from monitoring.summary import Summary
from stream_app.contract.markets import MARKETS


class Pruned(Struct, frozen=True):
    """Runs that went, the oldest last."""

    runs: tuple[str, ...]
    kept: int
    dry_run: bool


def begun(asked: Asked, made: datetime) -> Summary:
    """The summary of a run that has measured nothing yet."""
    current = asked.windows.current
    return Summary(
        market=asked.market,
        currency=MARKETS[asked.market].currency,
        champion=None,
        made=made.isoformat(timespec="seconds"),
        job=asked.job,
        windows="" if current is None else windows.words(current),
        findings=(),
        seconds=0.0,
    )


def folder_of(asked: Asked, made: datetime) -> Path:
    """Where a run is written: within a market, names sort by time."""
    return asked.out / f"{asked.market}-{made:%Y%m%dT%H%M%S%f}Z"


def file(run: Path, summary: Summary) -> None:
    """Put the summary into the run's folder and the run into the index."""
    run.mkdir(parents=True, exist_ok=True)
    (run / index.SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(summary)))
    index.write(run.parent)


def failed(asked: Asked, made: datetime, reason: str, seconds: float) -> None:
    """File a run that was ended before it had measured: its reason is what was found."""
    finding = f"not measured ({', '.join(asked.kinds)}): {reason}"
    ended = replace(begun(asked, made), findings=(finding,), failed=True, seconds=round(seconds, 2))
    file(folder_of(asked, made), ended)


def prune(reports: Path, keep_days: int, keep_runs: int, *, dry_run: bool) -> Pruned:
    """Remove runs that are older, and the oldest beyond so many, with their snapshots."""
    since = datetime.now(UTC) - timedelta(days=keep_days)
    runs = index.found(reports)
    old = outdated([summary.made for _, summary in runs], since, keep_runs)
    if not dry_run and old:
        for run, summary in runs[old[0] :]:
            workspace.remove(reports, summary.snapshots)
            shutil.rmtree(run)
        index.write(reports)
    gone = tuple(runs[place][0].name for place in old)
    return Pruned(gone, len(runs) - len(gone), dry_run)


def outdated(made: Sequence[str], since: datetime, keep_runs: int) -> range:
    """Which of these runs, the newest first, are too old or too many.

    >>> day = datetime(2026, 1, 2, tzinfo=UTC)
    >>> outdated(["2026-01-03T00:00:00+00:00", "2026-01-01T00:00:00+00:00"], day, 5)
    range(1, 2)
    """
    young = sum(datetime.fromisoformat(time) >= since for time in made)
    return range(min(young, keep_runs), len(made))
