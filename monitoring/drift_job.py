"""Drift of features as served: gather bounded samples, have Evidently measure them.

The current window is held against the champion's training rows, and against the same days of
the year before: what moved against the first and not against the second is season.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from monitoring import comparison, frames, reports, windows
from monitoring.frames import Market, Size
from monitoring.sampling import Sample
from monitoring.settings import MonitoringSettings
from monitoring.summary import ARCHIVE, Drift, rows_of
from monitoring.windows import Window, Windows
from stream_app.contract.models import Manifest
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import PREDICTIONS, Topic, full_name

ANSWER_LOG = "answer_log"  # the served price, as one more column beside the features
UNNAMED = "no champion was announced: features have no names, their drift was not measured"
NO_SEASON = "no listing of the same days of the year before: what is season cannot be told"
TOO_LONG = "a window of more than a year has all seasons: none was taken out"


class DriftMeasured(NamedTuple):
    figures: Drift
    season: Drift | None
    snapshots: dict[str, Any]  # evidently.core.report.Snapshot: untyped
    findings: tuple[str, ...]


class Side(NamedTuple):
    """Rows to compare, and where they are from."""

    sample: Sample
    what: str = ARCHIVE


class Work(NamedTuple):
    """What every step of a report needs."""

    market: Market
    windows: Windows
    settings: MonitoringSettings
    manifest: Manifest | None

    def drawn(self, topic: Topic, window: Window, champion: str | None = None) -> Sample:
        """Draw the rows of a window that a report takes."""
        size = Size(self.settings.sample_rows, self.settings.sample_seed)
        return frames.sampled(self.market, topic, window, size, champion)


def measure(work: Work) -> DriftMeasured:
    """Compare the current window with what was trained on, and with its season."""
    trained, told = _trained(work)
    older, newer = _windows(work, trained)
    current = Side(work.drawn(PREDICTIONS, newer))
    reference = trained or Side(work.drawn(PREDICTIONS, older))
    made = _made(work, reference, current)
    season, season_made = _season(work, newer, current)
    snapshots = {"drift": made.snapshot, "season": season_made.snapshot}
    return DriftMeasured(
        _figures(reference, current, made),
        season,
        {name: found for name, found in snapshots.items() if found is not None},
        told + made.findings + season_made.findings,
    )


def _windows(work: Work, trained: Side | None) -> tuple[Window, Window]:
    if work.windows.current is not None:
        return comparison.pair(work.windows, {})
    days = frames.rows_by_day(work.market, PREDICTIONS)
    if trained is None or work.manifest is None or not days:
        return comparison.pair(work.windows, days)
    later = comparison.untrained(days, work.manifest)
    return Window(0, 0), Window(min(later) * DAY_MS, (max(later) + 1) * DAY_MS)


def _trained(work: Work) -> tuple[Side | None, tuple[str, ...]]:
    """The training rows, unless a window was asked for; else why there are none."""
    if work.windows.reference is not None or work.manifest is None:
        return None, ()
    rows, reason = comparison.drift_reference(work.manifest, Path(work.settings.model_store))
    if rows is None:
        return None, (f"{reason}: the archive before is the reference",)
    few = min(len(rows), work.settings.sample_rows)
    drawn = rows.sample(few, random_state=work.settings.sample_seed).sort_index()
    return Side(Sample(drawn, len(rows)), reason), ()


def _season(work: Work, window: Window, current: Side) -> tuple[Drift | None, reports.DriftMade]:
    if work.manifest is None or not current.sample.rows:
        return None, reports.DriftMade(None, (), ())
    then = windows.season_before(window)
    reference = Side(work.drawn(PREDICTIONS, then or Window(0, 0)))
    if not reference.sample.rows:
        words = NO_SEASON if then else TOO_LONG
        return None, reports.DriftMade(None, (words,), ())
    made = _made(work, reference, current)
    findings = tuple(f"against the year before: {finding}" for finding in made.findings)
    return _figures(reference, current, made), made._replace(findings=findings)


def _made(work: Work, reference: Side, current: Side) -> reports.DriftMade:
    if not current.sample.rows and frames.newest_ms(work.market, PREDICTIONS) is None:
        name = full_name(work.market.prefix, PREDICTIONS)
        words = f"the archive holds no prediction of {work.market.name} in {name}"
        return reports.DriftMade(None, (words,), ())
    if work.manifest is None:
        return reports.DriftMade(None, (UNNAMED,), ())
    sides = (reference.sample.frame, current.sample.frame)
    return compared(work.manifest, sides, reports.limits_of(work.settings))


def compared(
    manifest: Manifest, sides: Sequence[pd.DataFrame], limits: reports.Limits
) -> reports.DriftMade:
    """Name the features of two sets of rows, and measure how they differ."""
    categories = frames.categories(manifest)
    texts = _texts(sides)
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


def _figures(reference: Side, current: Side, made: reports.DriftMade) -> Drift:
    return Drift(
        reference=rows_of(reference.sample, "event_time_ms", reference.what),
        current=rows_of(current.sample, "event_time_ms"),
        drifted=tuple(column.column for column in made.columns if column.drifted),
        columns=made.columns,
    )
