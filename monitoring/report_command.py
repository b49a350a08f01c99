"""`python -m monitoring report`: gather from the archive, measure, write."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd

from monitoring import comparison, frames, index, quality, reports
from monitoring.comparison import Sides
from monitoring.settings import MonitoringSettings
from monitoring.summary import Drift, Quality, Summary, WindowRows
from monitoring.windows import Windows, day
from stream_app.contract.markets import MARKETS
from stream_app.contract.models import Manifest
from stream_app.contract.topics import OUTCOMES, PREDICTIONS, Topic, full_name

ANSWER_LOG = "answer_log"  # the served price, as one more column beside the features
UNNAMED = "no champion was announced: features have no names, their drift was not measured"


class Asked(NamedTuple):
    """What the command line said."""

    market: str
    windows: Windows
    archive: Path
    out: Path
    prefix: str


class DriftMeasured(NamedTuple):
    figures: Drift
    snapshot: Any | None  # evidently.core.report.Snapshot: untyped
    findings: tuple[str, ...]


class QualityMeasured(NamedTuple):
    figures: Quality
    snapshot: Any | None
    findings: tuple[str, ...]


def make(asked: Asked, settings: MonitoringSettings) -> tuple[Summary, Path]:
    """Measure both and write a folder for this run and the index; give figures and folder."""
    begun_s = time.monotonic()
    made = datetime.now(UTC)
    manifest = frames.champion(asked.archive, asked.prefix, asked.market)
    drift = _drift(asked, settings, manifest)
    sales = _quality(asked, settings, manifest)
    run = asked.out / f"{asked.market}-{made:%Y%m%dT%H%M%S%f}Z"
    run.mkdir(parents=True)
    files = (*_write(run, "drift", drift.snapshot), *_write(run, "quality", sales.snapshot))
    summary = Summary(
        market=asked.market,
        currency=MARKETS[asked.market].currency,
        champion=None if manifest is None else manifest.version,
        made=made.isoformat(timespec="seconds"),
        drift=drift.figures,
        quality=sales.figures,
        findings=drift.findings + sales.findings,
        files=files,
        seconds=round(time.monotonic() - begun_s, 2),
    )
    (run / index.SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(summary)))
    index.write(asked.out)
    return summary, run


def _absent(asked: Asked, topic: Topic, what: str) -> tuple[str, ...]:
    name = full_name(asked.prefix, topic)
    return (f"the archive holds no {what} of {asked.market} in {name}",)


def _drift(asked: Asked, settings: MonitoringSettings, manifest: Manifest | None) -> DriftMeasured:
    served = frames.predictions(asked.archive, asked.prefix, asked.market)
    sides, findings = _drift_sides(asked, settings, manifest, served)
    drawn = [_drawn(side, settings) for side in (sides.reference, sides.current)]
    made = reports.DriftMade(None, (UNNAMED,), ())
    if served.empty:
        made = reports.DriftMade(None, _absent(asked, PREDICTIONS, "prediction"), ())
    elif manifest is not None:
        made = _drift_report(manifest, drawn, served, _limits(settings))
    reference_rows = _rows(sides.reference, "event_time_ms", drawn[0], sides.reference_what)
    current_rows = _rows(sides.current, "event_time_ms", drawn[1])
    drifted = tuple(column.column for column in made.columns if column.drifted)
    figures = Drift(
        reference=reference_rows, current=current_rows, drifted=drifted, columns=made.columns
    )
    return DriftMeasured(figures, made.snapshot, findings + made.findings)


def _drift_sides(
    asked: Asked, settings: MonitoringSettings, manifest: Manifest | None, served: pd.DataFrame
) -> tuple[Sides, tuple[str, ...]]:
    """Choose the rows: the windows asked for, else training rows, else halves of the archive."""
    if asked.windows.reference is not None or manifest is None:
        return comparison.split(served, "event_time_ms", asked.windows), ()
    trained, reason = comparison.drift_reference(manifest, Path(settings.model_store))
    if trained is None:
        words = f"{reason}: the older half of the archive is the reference"
        return comparison.split(served, "event_time_ms", asked.windows), (words,)
    return Sides(trained, comparison.after_training(served, "event_time_ms", manifest), reason), ()


def _drift_report(
    manifest: Manifest, sides: Sequence[pd.DataFrame], served: pd.DataFrame, limits: reports.Limits
) -> reports.DriftMade:
    categories = frames.categories(manifest)
    texts = _texts((served, *sides))
    named = [_columns(side, manifest) for side in sides]
    both = [column for column in named[0] if column in named[1]]
    reference, current = (frames.with_texts(n[both], categories, texts) for n in named)
    return reports.drift(reference, current, categories, limits)


def _texts(tables: Iterable[pd.DataFrame]) -> set[str]:
    """Collect the texts that codes among the features may stand for."""
    return {
        text
        for table in tables
        for column in ("region", "property_type")
        if column in table
        for text in table[column].dropna().unique()
    }


def _columns(rows: pd.DataFrame, manifest: Manifest) -> pd.DataFrame:
    """Name the features; training rows have their names already."""
    if "features" not in rows:
        return rows.reindex(columns=list(manifest.feature_names))
    named = frames.features(rows, manifest)
    named[ANSWER_LOG] = np.log(rows.loc[named.index, "price"].astype(float))
    return named


def _quality(
    asked: Asked, settings: MonitoringSettings, manifest: Manifest | None
) -> QualityMeasured:
    sold = frames.outcomes(asked.archive, asked.prefix, asked.market)
    if asked.windows.reference is None:
        sold = comparison.answered_by(sold, manifest)
    sides = comparison.split(sold, "sold_ms", asked.windows)
    prices = [quality.prices(side) for side in (sides.reference, sides.current)]
    drawn = [_drawn(frame, settings) for frame in prices]
    made = reports.Made(None, _absent(asked, OUTCOMES, "sale"))
    if not sold.empty:
        made = reports.regression(drawn[0], drawn[1], _limits(settings))
    figures = Quality(
        reference=_rows(sides.reference, "sold_ms", drawn[0]),
        current=_rows(sides.current, "sold_ms", drawn[1]),
        reference_errors=quality.errors(sides.reference),
        current_errors=quality.errors(sides.current),
    )
    return QualityMeasured(figures, made.snapshot, made.findings)


def _drawn(frame: pd.DataFrame, settings: MonitoringSettings) -> pd.DataFrame:
    return comparison.sample(frame, settings.sample_rows, settings.sample_seed)


def _limits(settings: MonitoringSettings) -> reports.Limits:
    return reports.Limits(
        rows_min=settings.rows_min,
        score_max=settings.drift_score_max,
        unknown_change_max=settings.unknown_share_change_max,
        rise_max=settings.error_rise_max,
    )


def _rows(
    frame: pd.DataFrame,
    time_column: str,
    drawn: pd.DataFrame,
    what: str = comparison.ARCHIVE,
) -> WindowRows:
    times = frame[time_column] if time_column in frame else pd.Series(dtype=float)
    known = not times.empty
    return WindowRows(
        what=what,
        from_day=day(int(times.min())) if known else None,
        to_day=day(int(times.max())) if known else None,
        rows=len(frame),
        sampled=len(drawn),
    )


def _write(folder: Path, name: str, snapshot: Any | None) -> tuple[str, ...]:  # noqa: ANN401
    if snapshot is None:
        return ()
    snapshot.save_html(str(folder / f"{name}.html"))
    snapshot.save_json(str(folder / f"{name}.json"))
    return f"{name}.html", f"{name}.json"
