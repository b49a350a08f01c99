"""Quality of the data: gather events as they were sent, judge them, have Evidently describe them."""

from typing import Any, NamedTuple

from monitoring import comparison, data_quality, frames, reports
from monitoring.data_quality import DataQuality
from monitoring.drift_job import Work
from monitoring.heads import head_of
from monitoring.windows import Window
from stream_app.contract.archive import ArchiveFile
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import EVENTS, full_name


class DataMeasured(NamedTuple):
    figures: DataQuality
    snapshots: dict[str, Any]  # evidently.core.report.Snapshot: untyped
    findings: tuple[str, ...]


def measure(work: Work) -> DataMeasured:
    """Judge the events of the current window beside those of the reference."""
    files = list(work.market.raw_files(EVENTS))
    reference, current = (_gathered(work, files, window) for window in _windows(work, files))
    figures = data_quality.judge(reference, current)
    if not figures.events:
        name = full_name(work.market.prefix, EVENTS)
        words = f"the archive holds no event of {work.market.name} of this window in {name}"
        return DataMeasured(figures, {}, (words,))
    limits = reports.limits_of(work.settings)
    made = reports.content(reference.frame(), current.frame(), limits)
    found = data_quality.findings(figures, work.settings.unknown_share_max, limits.rows_min)
    snapshots = {} if made.snapshot is None else {"data": made.snapshot}
    return DataMeasured(figures, snapshots, found + made.findings)


def _windows(work: Work, files: list[ArchiveFile]) -> tuple[Window, Window]:
    """As asked; without windows, halves of the files by the middle of their times."""
    days = {(f.event_from_ms + f.event_to_ms) // (2 * DAY_MS): f.rows for f in files}
    return comparison.pair(work.windows, days)


def _gathered(work: Work, files: list[ArchiveFile], window: Window) -> data_quality.Window:
    touched = [file for file in files if frames.touches(file, window)]
    rows = sum(file.rows for file in touched)
    share = min(1.0, work.settings.sample_rows / max(rows, 1))
    gathered = data_quality.Window(share, work.settings.sample_seed)
    for file in touched:
        _add(work, file, window, gathered)
    return gathered


def _add(work: Work, file: ArchiveFile, window: Window, gathered: data_quality.Window) -> None:
    columns = ["partition", "value"]
    for table in frames.batches(work.market.root / file.path, columns):
        for partition, value in zip(*(table[name].to_pylist() for name in columns), strict=True):
            head = head_of(value)
            at_ms = head.event_time_ms
            # Of bytes that tell no time it cannot be said that they are of another window.
            if at_ms is None or window.from_ms <= at_ms < window.to_ms:
                gathered.add(partition, head.kind, head.listing_id, at_ms, value or b"")
