"""Evidently runs over two windows: drift of features, quality of prices.

Evidently measures; it does not decide. Scores are effect sizes (Wasserstein distance
in standard deviations, Jensen-Shannon distance), not p-values: a p-value calls every
large sample drifted, and with few rows the threshold is what chance gives. What cannot be measured is a finding in words, never a crash and
never silence: a feature that died has no distribution to compare, and Evidently's own
verdict on the whole ("half of the columns") would hide it.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Regression, Report
from evidently.presets import DataDriftPreset, DataSummaryPreset, RegressionPreset
from msgspec import Struct
from scipy.stats import chi2

from monitoring.frames import UNKNOWN
from monitoring.quality import ANSWER, SALE, SOLD, Rise, rise
from monitoring.settings import MonitoringSettings
from monitoring.summary import ColumnDrift

NUMERIC_METHOD = "wasserstein"
CATEGORY_METHOD = "jensenshannon"
# What Evidently is known to raise on columns it cannot bin, scale or divide by.
REPORT_FAULTS = (ValueError, TypeError, KeyError, IndexError, ArithmeticError, AttributeError)
CONSTANT = 1e-6  # errors closer together than this have no distribution to draw
# How often chance calls any column of a report drifted. Parted among its columns (Bonferroni's
# correction): of a report a day, one false alarm in 100 days.
REPORT_ODDS = 0.01
# The distance between two samples of one distribution, in units of sqrt(1/n + 1/m) standard
# deviations, that one of forty columns passes so often: 3.6 to 4.6 over normal, lognormal,
# exponential, uniform and rare binary columns of 400 rows and more (100 lognormal ones: 5.6).
CHANCE_WASSERSTEIN = 4.6
# Evidently's verdict on the whole: one drifted column is enough to be told of.
DRIFT_SHARE = 0.01
BEYOND_CHANCE = 3.0  # standard errors: one false alarm in 740 comparisons


class Limits(Struct, frozen=True):
    """What counts as a finding. Reasons stand in settings.py."""

    rows_min: int
    score_max: float
    unknown_change_max: float
    rise_max: float


def limits_of(settings: MonitoringSettings) -> Limits:
    """Give what the settings say."""
    return Limits(
        rows_min=settings.rows_min,
        score_max=settings.drift_score_max,
        unknown_change_max=settings.unknown_share_change_max,
        rise_max=settings.error_rise_max,
    )


class Made(NamedTuple):
    """What came of one run. Without a snapshot, `findings` says why."""

    snapshot: Any | None  # evidently.core.report.Snapshot: untyped
    findings: tuple[str, ...]


class DriftMade(NamedTuple):
    snapshot: Any | None
    findings: tuple[str, ...]
    columns: tuple[ColumnDrift, ...]


def drift(
    reference: pd.DataFrame, current: pd.DataFrame, category_columns: Sequence[str], limits: Limits
) -> DriftMade:
    """Compare all columns of two windows; both frames have the same columns."""
    few = _too_few(reference, current, limits.rows_min, "predictions")
    if few:
        return DriftMade(None, few, ())
    names = [str(column) for column in reference.columns]
    columns = [c for c in names if _unknown(reference[c]) < 1 and _unknown(current[c]) < 1]
    made = _drift_run(reference[columns], current[columns], category_columns, limits)
    scores = {} if made.snapshot is None else _scores(made.snapshot)
    rows = tuple(
        _column(
            c, scores.get(c), c in category_columns, reference[c], current[c], limits, len(columns)
        )
        for c in names
    )
    return DriftMade(made.snapshot, made.findings + _drift_findings(rows, limits), rows)


def _drift_run(
    reference: pd.DataFrame, current: pd.DataFrame, category_columns: Sequence[str], limits: Limits
) -> Made:
    columns = [str(column) for column in reference.columns]
    if not columns:
        return Made(None, ("no column has values in both windows: no report on drift",))
    preset = DataDriftPreset(
        columns=columns,
        num_method=NUMERIC_METHOD,
        cat_method=CATEGORY_METHOD,
        per_column_threshold={
            c: threshold(reference[c], current[c], c in category_columns, limits, len(columns))
            for c in columns
        },
        drift_share=DRIFT_SHARE,
    )
    return _run(preset, reference, current, _definition(columns, category_columns))


def threshold(
    reference: pd.Series, current: pd.Series, is_category: bool, limits: Limits, columns: int
) -> float:
    """Score from which on one of `columns` has drifted: large enough to matter, and beyond chance."""
    sizes = [float((~_is_unknown(column)).sum()) for column in (reference, current)]
    scarcity = sum(1 / max(size, 1) for size in sizes)
    if not is_category:
        return max(limits.score_max, CHANCE_WASSERSTEIN * math.sqrt(scarcity))
    kinds = pd.concat([reference, current]).nunique()
    # Of two samples of one distribution, 8 / scarcity times the divergence is chi-square.
    divergence = float(chi2.isf(REPORT_ODDS / columns, max(kinds - 1, 1))) * scarcity / 8
    return max(limits.score_max, math.sqrt(divergence))


def regression(reference: pd.DataFrame, current: pd.DataFrame, limits: Limits) -> Made:
    """Compare served prices with their sales in two frames of `quality.prices`.

    In the market's currency and over time, as people read it; naive and champion are
    in the summary.
    """
    few = _too_few(reference, current, limits.rows_min, "sales")
    if few:
        return Made(None, few)
    for name, frame in (("reference", reference), ("current", current)):
        if ANSWER not in frame:
            return Made(None, (f"no price was served in the {name} window",))
        if float(np.ptp(frame[ANSWER] - frame[SALE])) < CONSTANT:
            words = f"all prices of the {name} window are off by the same amount"
            return Made(None, (f"{words}: no report on quality; look at the prices",))
    definition = DataDefinition(
        numerical_columns=[SALE, ANSWER],
        timestamp=SOLD,
        regression=[Regression(target=SALE, prediction=ANSWER)],
    )
    columns = [SOLD, SALE, ANSWER]
    made = _run(RegressionPreset(), reference[columns], current[columns], definition)
    return Made(made.snapshot, made.findings + _rise_finding(rise(reference, current), limits))


def content(reference: pd.DataFrame, current: pd.DataFrame, limits: Limits) -> Made:
    """Describe the fields of two sets of events as they were sent: numbers and texts."""
    few = _too_few(reference, current, limits.rows_min, "listings")
    if few:
        return Made(None, few)
    both = [column for column in reference.columns if column in current.columns]
    columns = [c for c in both if _unknown(reference[c]) < 1 and _unknown(current[c]) < 1]
    texts = [column for column in columns if not pd.api.types.is_numeric_dtype(current[column])]
    definition = _definition(columns, texts)
    return _run(DataSummaryPreset(), reference[columns], current[columns], definition)


def _rise_finding(found: Rise, limits: Limits) -> tuple[str, ...]:
    if found.relative <= limits.rise_max or found.standard_errors < BEYOND_CHANCE:
        return ()
    words = (
        f"mean |log error| of the answers rose from {found.before:.3f} to {found.now:.3f}:"
        f" {found.relative:+.0%}, {found.standard_errors:.1f} standard errors"
    )
    return (words,)


def _run(
    preset: Any,  # noqa: ANN401 - evidently is untyped
    reference: pd.DataFrame,
    current: pd.DataFrame,
    definition: DataDefinition,
) -> Made:
    report = Report([preset])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of bins with one row and the like, inside Evidently
        try:
            both = (
                Dataset.from_pandas(f, data_definition=definition) for f in (current, reference)
            )
            return Made(report.run(*both), ())
        except REPORT_FAULTS as error:
            return Made(None, (f"Evidently could not make the report: {error}",))


def _too_few(
    reference: pd.DataFrame, current: pd.DataFrame, rows_min: int, what: str
) -> tuple[str, ...]:
    return tuple(
        f"{name} window: {len(frame)} {what}, {rows_min} needed for a report"
        for name, frame in (("reference", reference), ("current", current))
        if len(frame) < rows_min
    )


def _definition(columns: Sequence[str], category_columns: Sequence[str]) -> DataDefinition:
    # Always explicit: left alone, Evidently takes small integers for categories.
    return DataDefinition(
        numerical_columns=[c for c in columns if c not in category_columns],
        categorical_columns=[c for c in columns if c in category_columns],
    )


def _scores(snapshot: Any) -> dict[str, float]:  # noqa: ANN401 - evidently is untyped
    return {
        metric["config"]["column"]: float(metric["value"])
        for metric in snapshot.dict()["metrics"]
        if "column" in metric["config"]
    }


def _column(
    column: str,
    score: float | None,
    is_category: bool,
    reference: pd.Series,
    current: pd.Series,
    limits: Limits,
    columns: int,
) -> ColumnDrift:
    score_max = threshold(reference, current, is_category, limits, max(columns, 1))
    return ColumnDrift(
        column=column,
        method=CATEGORY_METHOD if is_category else NUMERIC_METHOD,
        score=score,
        score_max=score_max,
        drifted=score is not None and score >= score_max,
        unknown_reference=_unknown(reference),
        unknown_current=_unknown(current),
    )


def _unknown(column: pd.Series) -> float:
    """Share of rows without a value."""
    return float(_is_unknown(column).mean())


def _is_unknown(column: pd.Series) -> pd.Series:
    return column.isna() | (column == UNKNOWN)


def _drift_findings(columns: Sequence[ColumnDrift], limits: Limits) -> tuple[str, ...]:
    more = tuple(
        f"{c.column}: unknown in {c.unknown_current:.1%} of rows, {c.unknown_reference:.1%} before"
        for c in columns
        if c.unknown_current - c.unknown_reference > limits.unknown_change_max
    )
    fewer = [
        f"{c.column} {c.unknown_current:.1%} after {c.unknown_reference:.1%}"
        for c in columns
        if c.unknown_reference - c.unknown_current > limits.unknown_change_max
    ]
    worst_first = sorted(columns, key=lambda c: -(c.score or 0))
    drifted = [f"{c.column} {c.score:.2f}" for c in worst_first if c.drifted]
    compared = sum(c.score is not None for c in columns)
    findings = list(more)
    if fewer:
        findings.append(f"more often known than before: {', '.join(fewer)}")
    if drifted:
        words = f"{len(drifted)} of {compared} columns drifted"
        findings.append(f"{words}: {', '.join(drifted)}")
    return tuple(findings)
