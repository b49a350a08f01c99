"""Homes that sell within days do not speak for those that wait."""

import math

import pandas as pd
import pytest

from monitoring import label_age
from stream_app.contract.spans import DAY_MS


def sales(count: int, days: float, error_log: float) -> pd.DataFrame:
    """Sales so many days after their listing, answered too high by so much, give or take."""
    swing = [error_log + (0.01 if n % 2 else -0.01) for n in range(count)]
    return pd.DataFrame(
        {
            "prediction_id": [f"{days}-{n}" for n in range(count)],
            "listed_ms": 0,
            "sold_ms": int(days * DAY_MS),
            "sale_price": 100.0,
            "price": [100.0 * math.exp(each) for each in swing],
            "price_low": 50.0,
            "price_high": 200.0,
            "components_naive_log": None,
            "components_champion_log": None,
        }
    )


FAST_AND_SLOW = pd.concat([sales(100, 10, 0.05), sales(100, 90, 0.15)], ignore_index=True)


def test_each_band_of_days_to_sale_is_judged_on_its_own() -> None:
    bands = label_age.by_age(FAST_AND_SLOW)

    assert [(band.from_days, band.to_days, band.sales) for band in bands] == [
        (0, 30, 100),
        (30, 60, 0),
        (60, 120, 100),
        (120, 240, 0),
        (240, None, 0),
    ]
    assert bands[0].errors["answer"].bias_log == pytest.approx(0.05)
    assert bands[2].errors["answer"].bias_log == pytest.approx(0.15)
    assert bands[1].errors == {}


def test_the_day_that_ends_a_band_begins_the_next() -> None:
    bands = label_age.by_age(sales(1, 30, 0.0))

    assert [band.sales for band in bands] == [0, 1, 0, 0, 0]


def test_nothing_sold_has_no_bands() -> None:
    assert label_age.by_age(pd.DataFrame()) == ()


def test_young_labels_are_weighted_by_how_long_homes_take_to_sell() -> None:
    sold = pd.concat([sales(90, 10, 0.05), sales(30, 90, 0.15)], ignore_index=True)

    found = label_age.cohort(400, sold, FAST_AND_SLOW)

    assert (found.listed, found.sold, found.covered) == (400, 120, 1.0)
    assert found.error_log == pytest.approx(0.075)
    assert found.weighted_error_log == pytest.approx(0.10)


def test_what_no_label_has_come_for_is_told_and_not_made_up() -> None:
    found = label_age.cohort(400, sales(90, 10, 0.05), FAST_AND_SLOW)

    assert found.covered == 0.5
    assert found.weighted_error_log == pytest.approx(0.05)


def test_without_a_sale_the_error_is_unknown() -> None:
    found = label_age.cohort(400, pd.DataFrame(), FAST_AND_SLOW)

    assert (found.sold, found.error_log, found.weighted_error_log, found.covered) == (
        0,
        None,
        None,
        0,
    )


def test_fast_sellers_that_are_easier_to_price_are_told() -> None:
    (words,) = label_age.fast_against_all(FAST_AND_SLOW, rise_max=0.05)

    assert words.startswith("mean |log error| of homes sold within 30 days is 0.050, of all 0.100")


def test_fast_sellers_like_all_others_are_no_finding() -> None:
    same = pd.concat([sales(100, 10, 0.1), sales(100, 90, 0.1)], ignore_index=True)

    assert label_age.fast_against_all(same, rise_max=0.05) == ()
    assert label_age.fast_against_all(sales(100, 10, 0.05), rise_max=0.05) == ()
    assert label_age.fast_against_all(pd.DataFrame(), rise_max=0.05) == ()
