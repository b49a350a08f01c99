"""Evidently measures two windows; what cannot be measured is told in words."""

import numpy as np
import pandas as pd
import pytest
from evidently import Report

from monitoring import reports
from monitoring.quality import ANSWER, SALE, SOLD

LIMITS = reports.Limits(rows_min=50, score_max=0.1, unknown_change_max=0.05, rise_max=0.05)
ROWS = 400


def homes(seed: int, shift: float = 0.0, new_region: bool = False) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    regions = ["kc-1", "kc-2", "kc-3"] + ["kc-4"] * (2 * new_region)
    return pd.DataFrame(
        {
            "home_log_area": draw.normal(4.9 + shift, 0.35, ROWS),
            "home_bedrooms": draw.integers(1, 6, ROWS).astype(float),
            "home_region_code": draw.choice(regions, ROWS),
        }
    )


def sales(seed: int, bias_log: float = 0.0, spread_log: float = 0.1) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    sale = np.exp(draw.normal(13, 0.5, ROWS))
    sold = pd.to_datetime(1_400_000_000 + np.arange(ROWS) * 3_600, unit="s")
    return pd.DataFrame(
        {SOLD: sold, SALE: sale, ANSWER: sale * np.exp(draw.normal(bias_log, spread_log, ROWS))}
    )


def drift(reference: pd.DataFrame, current: pd.DataFrame) -> reports.DriftMade:
    return reports.drift(reference, current, ["home_region_code"], LIMITS)


def drifted(made: reports.DriftMade) -> list[str]:
    return [column.column for column in made.columns if column.drifted]


def test_windows_of_one_market_do_not_drift() -> None:
    made = drift(homes(1), homes(2))

    assert drifted(made) == []
    assert made.findings == ()
    assert made.snapshot is not None


def test_a_shifted_number_and_a_new_category_drift() -> None:
    made = drift(homes(1), homes(2, shift=0.35, new_region=True))

    assert drifted(made) == ["home_log_area", "home_region_code"]
    assert made.findings[0].startswith("2 of 3 columns drifted: home_log_area 1.16, ")


@pytest.mark.parametrize("rows", [100, 400, 4_000])
def test_chance_alone_is_no_drift_with_few_rows_or_many(rows: int) -> None:
    draw = np.random.default_rng(rows)
    regions = [f"kc-{number}" for number in range(70)]
    windows = [
        pd.DataFrame(
            {
                "home_lot_m2": np.exp(draw.normal(6, 1, rows)),
                "home_waterfront": (draw.uniform(size=rows) < 0.05).astype(float),
                "home_region_code": draw.choice(regions, rows),
            }
        )
        for _ in range(2)
    ]

    assert drifted(drift(*windows)) == []


def test_a_dead_feature_is_told_and_the_others_are_measured() -> None:
    dead = homes(2).assign(home_bedrooms=np.nan)

    made = drift(homes(1), dead)

    scores = {column.column: column.score for column in made.columns}
    assert scores["home_bedrooms"] is None
    assert scores["home_log_area"] is not None
    assert made.findings == ("home_bedrooms: unknown in 100.0% of rows, 0.0% before",)


def test_a_dead_category_is_told() -> None:
    made = drift(homes(1), homes(2).assign(home_region_code="unknown"))

    assert made.findings == ("home_region_code: unknown in 100.0% of rows, 0.0% before",)


def test_what_is_known_more_often_is_told_in_one_line() -> None:
    gaps = homes(1)
    gaps.loc[:100, ["home_bedrooms", "home_log_area"]] = np.nan

    made = drift(gaps, homes(2))

    (words,) = made.findings
    assert words.startswith("more often known than before: home_log_area 0.0% after 25.2%, home_b")


def test_when_all_columns_are_dead_there_are_words_and_no_report() -> None:
    nothing = homes(2).assign(home_log_area=np.nan, home_bedrooms=np.nan, home_region_code=None)

    made = drift(homes(1), nothing)

    assert made.snapshot is None
    assert "no column has values in both windows" in made.findings[0]
    assert len(made.columns) == 3


def test_a_column_that_never_varies_does_not_stop_the_report() -> None:
    made = drift(homes(1).assign(home_bedrooms=3.0), homes(2).assign(home_bedrooms=3.0))

    assert made.snapshot is not None
    assert drifted(made) == []


@pytest.mark.parametrize("rows", [0, 49])
def test_too_few_rows_are_told_and_not_judged(rows: int) -> None:
    few = (f"current window: {rows} predictions, 50 needed for a report",)

    assert drift(homes(1), homes(2).head(rows)) == (None, few, ())


def test_equal_quality_is_no_finding() -> None:
    made = reports.regression(sales(1), sales(2), LIMITS)

    assert made.snapshot is not None
    assert made.findings == ()


def test_a_rise_of_the_error_is_told_with_its_size() -> None:
    made = reports.regression(sales(1), sales(2, bias_log=-0.1), LIMITS)

    assert made.findings[0].startswith("mean |log error| of the answers rose from 0.08")


def test_a_constant_error_is_told_and_not_drawn() -> None:
    off = sales(2)
    off[ANSWER] = off[SALE] + 1_000.0

    made = reports.regression(sales(1), off, LIMITS)

    assert made.snapshot is None
    assert "all prices of the current window are off by the same amount" in made.findings[0]


def test_no_sales_are_told() -> None:
    made = reports.regression(pd.DataFrame(columns=[SOLD, SALE]), sales(1), LIMITS)

    assert made == (None, ("reference window: 0 sales, 50 needed for a report",))


def test_a_window_without_answers_is_told() -> None:
    made = reports.regression(sales(1).drop(columns=ANSWER), sales(2), LIMITS)

    assert made == (None, ("no price was served in the reference window",))


def test_a_report_that_evidently_cannot_make_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("Too many bins for data range")

    monkeypatch.setattr(Report, "run", refuse)

    made = drift(homes(1), homes(2))

    assert made.snapshot is None
    assert made.findings == ("Evidently could not make the report: Too many bins for data range",)
