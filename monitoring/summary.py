"""A report in figures: what `summary.json` holds and what the terminal shows."""

import math
from collections.abc import Mapping

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from monitoring.data_quality import DataQuality
from monitoring.label_age import AgeBand, Cohort
from monitoring.quality import ANSWER, Errors
from monitoring.sampling import Sample
from monitoring.windows import day
from stream_app.contract.counts import counted

ARCHIVE = "archive"
SHOWN_MAX = 12  # columns on the terminal; all are in summary.json


class WindowRows(Struct, frozen=True, kw_only=True):
    """What one side of a comparison was made of."""

    what: str  # "archive", or the drift reference's file name
    from_day: str | None  # of the rows there are; null without any
    to_day: str | None
    rows: int
    sampled: int  # rows that went into the report


class ColumnDrift(Struct, frozen=True, kw_only=True):
    """One column of two windows."""

    column: str
    method: str
    score: float | None  # null: nothing to compare
    score_max: float  # the setting, or what chance gives with so few rows
    drifted: bool
    unknown_reference: float  # share of rows without a value
    unknown_current: float


class Drift(Struct, frozen=True, kw_only=True):
    reference: WindowRows
    current: WindowRows
    drifted: tuple[str, ...]
    columns: tuple[ColumnDrift, ...]


class Holdout(Struct, frozen=True, kw_only=True):
    """Mean |log error| of the champion alone, in its holdout and on live sales."""

    error_log: float
    live_error_log: float
    sales: int  # live ones


class Quality(Struct, frozen=True, kw_only=True):
    """Errors of naive, champion and answer, by window."""

    reference: WindowRows
    current: WindowRows
    reference_errors: Mapping[str, Errors]
    current_errors: Mapping[str, Errors]
    by_age: tuple[AgeBand, ...]  # of the current window, by days to sale
    cohort: Cohort | None  # the homes listed in it; null: none
    labelled_apart: tuple[str, ...]  # columns in which its sold homes differ from the others
    holdout: Holdout | None  # null: the champion has none, or answered none of these sales


class Summary(Struct, frozen=True, kw_only=True):
    """One run. What was not asked for, or could not be measured, is null."""

    market: str
    currency: str
    champion: str | None
    made: str  # UTC, ISO 8601
    job: str = ""  # of the schedule; empty: by hand
    windows: str = ""  # the current one, as it is given; empty: all there was
    drift: Drift | None = None
    season: Drift | None = None  # against the same days of the year before
    quality: Quality | None = None
    data: DataQuality | None = None
    findings: tuple[str, ...]
    files: tuple[str, ...] = ()  # beside summary.json
    snapshots: tuple[str, ...] = ()  # in the Evidently workspace
    seconds: float
    kind_seconds: Mapping[str, float] = {}
    failed: bool = False  # it was ended before it had measured: `findings` says why


def rows_of(sample: Sample, time_column: str, what: str = ARCHIVE) -> WindowRows:
    """Tell what a side was made of."""
    frame = sample.frame
    known = time_column in frame and not frame.empty
    return WindowRows(
        what=what,
        from_day=day(int(frame[time_column].min())) if known else None,
        to_day=day(int(frame[time_column].max())) if known else None,
        rows=sample.rows,
        sampled=len(frame),
    )


def show(summary: Summary, console: Console) -> None:
    """Print the summary as tables; findings last, where the eye ends."""
    if summary.quality is not None:
        console.print(_errors_table(summary.market, summary.currency, summary.quality))
        console.print(_ages_table(summary.quality))
    for name, drift in (("drift", summary.drift), ("season", summary.season)):
        if drift is not None:
            console.print(_drift_table(f"{summary.market}: {name} of features", drift))
            for side, rows in (("reference", drift.reference), ("current", drift.current)):
                words = f"{side}: {counted(rows.rows, 'row')}, {_days(rows)}, of {rows.what}"
                console.print(words, highlight=False)
    if summary.data is not None:
        console.print(_data_table(summary.data))
    for finding in summary.findings or ("nothing found",):
        console.print(f"• {finding}", markup=False, highlight=False)


def _data_table(data: DataQuality) -> Table:
    table = Table(
        title=f"events: {data.events:,}, {data.sampled:,} looked into", title_justify="left"
    )
    for heading in ("", "share", "of"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, found in data.dimensions.items():
        share = "unknown" if found.share is None else f"{found.share:.2%}"
        table.add_row(name, share, f"{found.n:,}")
    return table


def _ages_table(quality: Quality) -> Table:
    table = Table(title="by days to sale", title_justify="left")
    for heading in ("days", "sales", "median error", "bias"):
        table.add_column(heading, justify="right")
    for band in quality.by_age:
        end = "on" if band.to_days is None else f"{band.to_days}"
        answer = band.errors.get(ANSWER)
        cells = ("", "") if answer is None else (f"{answer.mdape:.1%}", f"{answer.bias_log:+.3f}")
        table.add_row(f"{band.from_days} to {end}", f"{band.sales:,}", *cells)
    return table


def _errors_table(market: str, currency: str, quality: Quality) -> Table:
    table = Table(title=f"{market}: prices against sales", title_justify="left")
    table.add_column("price")
    for heading in ("sales", f"MAE {currency}", "median", "bias", "in 90 %"):
        table.add_column(heading, justify="right")
    for name, rows, found in (
        ("reference", quality.reference, quality.reference_errors),
        ("current", quality.current, quality.current_errors),
    ):
        table.add_section()
        table.add_row(f"{name}: {_days(rows)}")
        for kind, errors in found.items():
            table.add_row(f"  {kind}", *_error_cells(errors))
    return table


def _error_cells(errors: Errors) -> tuple[str, ...]:
    covered = "" if errors.coverage_90 is None else f"{errors.coverage_90:.1%}"
    return (
        f"{errors.sales:,}",
        f"{errors.mae:,.0f}",
        f"{errors.mdape:.1%}",
        f"{errors.bias_log:+.3f}",
        covered,
    )


def _drift_table(title: str, drift: Drift) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("column")
    for heading in ("score", "unknown in reference", "in current"):
        table.add_column(heading, justify="right")
    table.add_column("")
    # What a market never has is no news.
    had = [c for c in drift.columns if min(c.unknown_reference, c.unknown_current) < 1]
    worst_first = sorted(had, key=lambda c: -math.inf if c.score is None else -c.score)
    for column in worst_first[:SHOWN_MAX]:
        table.add_row(
            column.column,
            "none" if column.score is None else f"{column.score:.3f}",
            f"{column.unknown_reference:.1%}",
            f"{column.unknown_current:.1%}",
            "drifted" if column.drifted else "",
        )
    return table


def _days(rows: WindowRows) -> str:
    return "(no rows)" if rows.from_day is None else f"{rows.from_day} to {rows.to_day}"
