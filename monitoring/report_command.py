"""A report: measure what was asked for, write pages, figures and summary, list it in the index."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
from msgspec.structs import replace

from monitoring import data_job, drift_job, frames, quality_job, runs, workspace
from monitoring.asked import Asked, Kind
from monitoring.drift_job import Work
from monitoring.frames import Market
from monitoring.settings import MonitoringSettings
from monitoring.summary import Summary

Snapshots = Mapping[str, Any]  # evidently.core.report.Snapshot: untyped


def make(asked: Asked, settings: MonitoringSettings) -> tuple[Summary, Path]:
    """Measure, and write a folder for this run and the index; give figures and folder."""
    made = datetime.now(UTC)
    market = Market(asked.archive, asked.prefix, asked.market)
    manifest = frames.champion(*market)
    work = Work(market, asked.windows, settings, manifest)
    version = None if manifest is None else manifest.version
    summary = replace(runs.begun(asked, made), champion=version)
    snapshots: dict[str, Any] = {}
    for kind in asked.kinds:
        summary, more = _measured(kind, work, summary)
        snapshots |= more
    run = runs.folder_of(asked, made)
    run.mkdir(parents=True)
    files = [name for snapshot in snapshots.items() for name in _write(run, *snapshot)]
    summary = replace(
        summary,
        files=(*files, *_tables(run, summary)),
        snapshots=workspace.add(asked.out, asked.market, run.name, snapshots),
    )
    runs.file(run, summary)
    return summary, run


def _measured(kind: Kind, work: Work, summary: Summary) -> tuple[Summary, Snapshots]:
    """The summary with one kind more."""
    begun_s = time.monotonic()
    found, snapshots, findings = _figures(kind, work)
    spent_s = round(time.monotonic() - begun_s, 2)
    measured = replace(
        summary,
        **found,
        findings=summary.findings + findings,
        seconds=round(summary.seconds + spent_s, 2),
        kind_seconds={**summary.kind_seconds, kind: spent_s},
    )
    return measured, snapshots


def _figures(kind: Kind, work: Work) -> tuple[dict[str, Any], Snapshots, tuple[str, ...]]:
    if kind is Kind.DRIFT:
        drift = drift_job.measure(work)
        figures = {"drift": drift.figures, "season": drift.season}
        return figures, drift.snapshots, drift.findings
    if kind is Kind.QUALITY:
        sales = quality_job.measure(work)
        return {"quality": sales.figures}, sales.snapshots, sales.findings
    data = data_job.measure(work)
    return {"data": data.figures}, data.snapshots, data.findings


def _write(run: Path, name: str, snapshot: Any) -> tuple[str, ...]:  # noqa: ANN401
    snapshot.save_html(str(run / f"{name}.html"))
    snapshot.save_json(str(run / f"{name}.json"))
    return f"{name}.html", f"{name}.json"


def _tables(run: Path, summary: Summary) -> tuple[str, ...]:
    """The figures as CSV, for whoever puts them into a sheet."""
    tables: dict[str, Iterable[object]] = {}
    for name, drift in (("drift", summary.drift), ("season", summary.season)):
        tables[name] = () if drift is None else drift.columns
    tables["fields"] = () if summary.data is None else summary.data.fields
    tables["errors"] = () if summary.quality is None else list(_errors(summary))
    written = {name: msgspec.to_builtins(rows) for name, rows in tables.items() if rows}
    for name, rows in written.items():
        pd.DataFrame(rows).to_csv(run / f"{name}.csv", index=False)
    return tuple(f"{name}.csv" for name in written)


def _errors(summary: Summary) -> Iterable[Mapping[str, object]]:
    quality = summary.quality
    if quality is None:
        return
    parts = {"reference": quality.reference_errors, "current": quality.current_errors}
    for band in quality.by_age:
        end = "" if band.to_days is None else band.to_days
        parts[f"current, sold after {band.from_days}-{end} days"] = band.errors
    for part, errors in parts.items():
        for price, found in errors.items():
            yield {"sales of": part, "price": price, **msgspec.to_builtins(found)}
