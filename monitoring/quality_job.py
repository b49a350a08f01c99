"""Quality of prices: gather bounded samples of sales, judge them, have Evidently draw them.

Sales are judged by the time of the sale, so that all days to sale are in a window; the homes
listed in the window are told apart by whether they are sold yet.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from monitoring import comparison, drift_job, frames, label_age, quality, reports
from monitoring.drift_job import Work
from monitoring.label_age import Cohort
from monitoring.sampling import Sample
from monitoring.settings import MonitoringSettings
from monitoring.summary import Holdout, Quality, rows_of
from monitoring.windows import Window
from stream_app.contract.models import Manifest
from stream_app.contract.topics import OUTCOMES, PREDICTIONS, full_name


class QualityMeasured(NamedTuple):
    figures: Quality
    snapshots: dict[str, Any]  # evidently.core.report.Snapshot: untyped
    findings: tuple[str, ...]


def measure(work: Work) -> QualityMeasured:
    """Judge the sales of both windows, and the listings of the current one."""
    champion, (older, newer) = _windows(work)
    drawn = [work.drawn(OUTCOMES, window, champion) for window in (older, newer)]
    made = _report(work, drawn)
    sales = drawn[1].frame
    holdout = _holdout(work.manifest, sales)
    cohort, apart = _cohort(work, newer, sales)
    own = _answered(work.manifest, sales)
    figures = Quality(
        reference=rows_of(drawn[0], "sold_ms"),
        current=rows_of(drawn[1], "sold_ms"),
        reference_errors=quality.errors(drawn[0].frame),
        current_errors=quality.errors(sales),
        by_age=label_age.by_age(own),
        cohort=cohort,
        labelled_apart=tuple(column.column for column in apart.columns if column.drifted),
        holdout=holdout,
    )
    findings = (
        *made.findings,
        *label_age.fast_against_all(own, work.settings.error_rise_max),
        *_departure(holdout, work.settings),
    )
    snapshots = {"quality": made.snapshot, "labelled": apart.snapshot}
    return QualityMeasured(figures, {n: s for n, s in snapshots.items() if s is not None}, findings)


def _windows(work: Work) -> tuple[str | None, tuple[Window, Window]]:
    """The windows, and whose answers are judged: without windows, the champion's if it has any."""
    if work.windows.current is not None:
        return None, comparison.pair(work.windows, {})
    version = None if work.manifest is None else work.manifest.version
    own = frames.rows_by_day(work.market, OUTCOMES, version)
    if own:
        return version, comparison.pair(work.windows, own)
    return None, comparison.pair(work.windows, frames.rows_by_day(work.market, OUTCOMES))


def _report(work: Work, drawn: list[Sample]) -> reports.Made:
    if not drawn[1].rows and frames.newest_ms(work.market, OUTCOMES) is None:
        name = full_name(work.market.prefix, OUTCOMES)
        return reports.Made(None, (f"the archive holds no sale of {work.market.name} in {name}",))
    reference, current = (quality.prices(sample.frame) for sample in drawn)
    return reports.regression(reference, current, reports.limits_of(work.settings))


def _cohort(
    work: Work, window: Window, all_sales: pd.DataFrame
) -> tuple[Cohort | None, reports.DriftMade]:
    """The homes listed in the window; and how those that are sold differ from the others."""
    nothing = reports.DriftMade(None, (), ())
    listed = work.drawn(PREDICTIONS, window).frame
    if listed.empty:
        return None, nothing
    sold = frames.sales_of(work.market, listed["prediction_id"])
    cohort = label_age.cohort(len(listed), sold, all_sales)
    is_sold = listed["prediction_id"].isin(set(sold.get("prediction_id", ())))
    if work.manifest is None or min(is_sold.sum(), (~is_sold).sum()) < work.settings.rows_min:
        return cohort, nothing
    sides = (listed[is_sold], listed[~is_sold])
    return cohort, drift_job.compared(work.manifest, sides, reports.limits_of(work.settings))


def _answered(manifest: Manifest | None, sales: pd.DataFrame) -> pd.DataFrame:
    """The sales that the champion answered, if any: who was listed before it served took longer to
    sell and was answered by another, which is no matter of age.
    """
    if manifest is None or sales.empty:
        return sales
    own = sales[sales["versions_champion"] == manifest.version]
    return sales if own.empty else own


def _holdout(manifest: Manifest | None, sales: pd.DataFrame) -> Holdout | None:
    """The champion's error alone on live sales, beside that of its holdout."""
    if manifest is None or not manifest.holdout_abs_log_errors or sales.empty:
        return None
    own = quality.prices(sales[sales["versions_champion"] == manifest.version])
    if quality.CHAMPION not in own or own.empty:
        return None
    live = np.abs(np.log(own[quality.CHAMPION] / own[quality.SALE]))
    return Holdout(
        error_log=float(np.mean(manifest.holdout_abs_log_errors)),
        live_error_log=float(live.mean()),
        sales=len(live),
    )


def _departure(found: Holdout | None, settings: MonitoringSettings) -> tuple[str, ...]:
    """Tell a live error that no holdout lets expect, from the first day on."""
    if found is None or found.sales < settings.rows_min:
        return ()
    ratio = found.live_error_log / found.error_log
    limit = 1 + settings.holdout_departure_max
    if 1 / limit <= ratio <= limit:
        return ()
    words = f"the champion's own error is {found.live_error_log:.3f} on {found.sales} live sales"
    why = "a leak in its training, or features that are served in another way"
    return (f"{words}, {found.error_log:.3f} in its holdout ({ratio:.1f} times): {why}",)
