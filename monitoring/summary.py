"""A report in figures: what `summary.json` holds and what the terminal shows."""

import math
from collections.abc import Mapping

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from monitoring.quality import Errors
from monitoring.reports import ColumnDrift

SHOWN_MAX = 12  # columns on the terminal; all are in summary.json


class WindowRows(Struct, frozen=True, kw_only=True):
    """What one side of a comparison was made of."""

    what: str  # "archive", or the drift reference's file name
    from_day: str | None  # of the rows there are; null without any
    to_day: str | None
    rows: int
    sampled: int  # rows that went into the report


class Drift(Struct, frozen=True, kw_only=True):
    reference: WindowRows
    current: WindowRows
    drifted: tuple[str, ...]
    columns: tuple[ColumnDrift, ...]


class Quality(Struct, frozen=True, kw_only=True):
    """Errors of naive, champion and answer, by window."""

    reference: WindowRows
    current: WindowRows
    reference_errors: Mapping[str, Errors]
    current_errors: Mapping[str, Errors]


class Summary(Struct, frozen=True, kw_only=True):
    market: str
    currency: str
    champion: str | None
    made: str  # UTC, ISO 8601
    drift: Drift
    quality: Quality
    findings: tuple[str, ...]
    files: tuple[str, ...]  # beside summary.json
    seconds: float


def show(summary: Summary, console: Console) -> None:
    """Print the summary as tables; findings last, where the eye ends."""
    console.print(_errors_table(summary))
    console.print(_drift_table(summary))
    for name, rows in (("reference", summary.drift.reference), ("current", summary.drift.current)):
        console.print(f"{name}: {rows.rows:,} rows, {_days(rows)}, of {rows.what}", highlight=False)
    for finding in summary.findings or ("nothing found",):
        console.print(f"• {finding}", markup=False, highlight=False)


def _errors_table(summary: Summary) -> Table:
    quality = summary.quality
    table = Table(title=f"{summary.market}: prices against sales", title_justify="left")
    table.add_column("price")
    for heading in ("sales", f"MAE {summary.currency}", "median", "bias", "in 90 %"):
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


def _drift_table(summary: Summary) -> Table:
    drift = summary.drift
    table = Table(title=f"{summary.market}: drift of features", title_justify="left")
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
