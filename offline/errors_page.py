"""The page of the errors: what errors.py found, with pictures, and what the audit says."""

from collections.abc import Sequence

import numpy as np

from offline import pictures
from offline.audit import Finding, Importance
from offline.eda import day
from offline.errors import COMPARED_ROWS, RATIO_MIN, Balance, Errors, Judged, Segment, Split
from offline.page import Cell, Section, Table
from stream_app.contract.spans import DAY_MS

_RESIDUAL = "log sale price less log price"
_FIGURES = "homes", "MAE", "MdAPE, %", "bias, %", "within 10 %", "coverage 90 %"
_SHOWN_IMPORTANCES = 20


def sections(judged: Judged, found: Errors) -> list[Section]:
    """All parts of the page; the audit's, where there was one."""
    return [
        _overall(found),
        _residuals(judged, found),
        *(_split(split, found.currency) for split in found.splits),
        _regions_by_month(found),
        _worst(found),
        *([_audit(found.importance, found.findings)] if found.importance else []),
    ]


def _audit(importances: Sequence[Importance], findings: Sequence[Finding]) -> Section:
    most = importances[:_SHOWN_IMPORTANCES]
    return Section(
        "Features",
        "Importance: what the mean absolute log error on the holdout grows by when the feature's "
        "values are dealt out anew (mean of three). Twins share theirs.",
        pictures.bars_of_groups(
            [each.feature for each in most],
            np.array([each.mae_log for each in most]),
            np.array([each.rows for each in most], dtype=np.int64),
            "Importance",
            "growth of the mean |log error|",
            same_rows=True,
        ),
        [
            Table(
                "Importance",
                ("feature", "growth", "spread", "homes"),
                [(i.feature, i.mae_log, i.spread, i.rows) for i in importances],
                folded=True,
            ),
            Table(
                "Findings of the audit",
                ("kind", "holds the model", "reason"),
                [(f.kind, "yes" if f.held else "no", f.reason) for f in findings],
            ),
        ],
        [f"Held for review: {f.reason}" for f in findings if f.held],
    )


def _overall(found: Errors) -> Section:
    warnings = [
        f"By {split.by}: {_words(split.balance)}" for split in found.splits if split.balance.warns
    ]
    return Section(
        "Overall",
        f"Of {found.of}; champion versions: {', '.join(found.versions)}. "
        "MdAPE: half of the prices are off by less. Bias: the median of price / sale price - 1. "
        "Coverage: share of sales inside the 90 % interval.",
        tables=[Table("All homes", ("", *_FIGURES), [_row(Segment("all", found.overall))])],
        warnings=warnings,
    )


def _residuals(judged: Judged, found: Errors) -> Section:
    residual = judged.residual
    return Section(
        "Residuals",
        f"A residual is the {_RESIDUAL}: above 0 the home fetched more than was said; 0.1 is "
        f"about 10 %. Nine in ten lie between {found.residual_p05:.3f} and "
        f"{found.residual_p95:.3f}. A good model shows a flat line at 0.",
        [
            pictures.histogram(residual, "Residuals", _RESIDUAL),
            pictures.cloud(
                judged.price,
                residual,
                "By the price that was said",
                f"{found.currency}, logarithmic",
                _RESIDUAL,
            ),
            pictures.cloud(
                judged.listed_ms / DAY_MS,
                residual,
                "By time",
                "day of listing",
                _RESIDUAL,
                lambda at_days: day(int(at_days * DAY_MS)),
            ),
        ],
    )


def _split(split: Split, currency: str) -> Section:
    shown = [s for s in split.segments if s.figures.rows >= COMPARED_ROWS]
    if split.by == "region":
        shown.sort(key=lambda s: -(s.figures.mdape or 0.0))
    drawn = pictures.bars_of_groups(
        [s.name for s in shown],
        np.array([100 * (s.figures.mdape or 0.0) for s in shown]),
        np.array([s.figures.rows for s in shown], dtype=np.int64),
        f"Error by {split.by}",
        "MdAPE, %",
    )
    return Section(
        f"By {split.by}",
        f"{_words(split.balance)} Of fewer than {COMPARED_ROWS} homes nothing is drawn or compared.",
        drawn,
        [
            Table(
                f"By {split.by}; MAE in {currency}",
                (split.by, *_FIGURES),
                [_row(s) for s in split.segments],
                folded=len(split.segments) > 15,
            )
        ],
    )


def _regions_by_month(found: Errors) -> Section:
    rows: list[Sequence[Cell]] = [
        (month, b.ratio, b.weakest, b.best, b.compared, "below 0.8" if b.warns else None)
        for month, b in found.regions_by_month.items()
    ]
    return Section(
        "Regions, month by month",
        "The weakest region's accuracy over the best one's, by month of listing, of regions with "
        "20 homes or more in the month.",
        tables=[
            Table(
                "Weakest to best region",
                ("month", "ratio", "weakest", "best", "regions", "warning"),
                rows,
                folded=len(rows) > 15,
            )
        ],
    )


def _worst(found: Errors) -> Section:
    rows = [
        (
            w.listing_id,
            w.region,
            w.property_type,
            w.listed,
            w.area_m2,
            w.age_years,
            w.price,
            w.sale_price,
            w.off,
        )
        for w in found.worst
    ]
    columns = "listing", "region", "type", "listed", "m2", "age", "price", "sale price", "off, %"
    return Section(
        "Worst homes",
        f"The {len(rows)} homes furthest off. Prices in {found.currency}.",
        tables=[Table("Furthest off", columns, rows)],
    )


def _row(segment: Segment) -> list[Cell]:
    f = segment.figures
    return [segment.name, f.rows, f.mae, f.mdape, f.bias, f.within_10, f.coverage_90]


def _words(balance: Balance) -> str:
    if balance.ratio is None:
        return "Fewer than two segments are large enough to be compared."
    verdict = f", below {RATIO_MIN}: look at it" if balance.warns else ""
    return (
        f"Weakest to best of {balance.compared}: {balance.ratio:.3f} "
        f"({balance.weakest} to {balance.best}, by 1 - MdAPE){verdict}."
    )
