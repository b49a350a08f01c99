"""Naive, champion and answer are judged on the same sales."""

import math

import msgspec
import pandas as pd
import pytest

from monitoring import quality
from monitoring.tables import LAYOUTS, Taken, message_table
from stream_app.contract.predictions import Components, Outcome
from stream_app.contract.topics import OUTCOMES
from tests import messages


def frame(*outcomes: Outcome) -> pd.DataFrame:
    layout = next(each for each in LAYOUTS if each.topic is OUTCOMES)
    places = [Taken(0, n, 0, None, None) for n in range(len(outcomes))]
    made: pd.DataFrame = message_table(layout, places, outcomes).to_pandas()
    return made


def sold(price: float | None, sale: float = 100.0, champion: float | None = 100.0) -> Outcome:
    champion_log = None if champion is None else math.log(champion)
    return messages.outcome(
        price=price,
        sale_price=sale,
        price_low=None if price is None else price - 15,
        price_high=None if price is None else price + 15,
        components=Components(math.log(200.0), champion_log, 0.0, 0.0, 1.0),
    )


def test_errors_are_those_of_the_prices() -> None:
    found = quality.errors(frame(sold(110), sold(80), sold(105)))["answer"]

    assert found.sales == 3
    assert found.mae == pytest.approx(35 / 3)
    assert found.mdape == pytest.approx(0.1)
    assert found.bias_log == pytest.approx((math.log(1.1) + math.log(0.8) + math.log(1.05)) / 3)
    assert found.coverage_90 == pytest.approx(2 / 3)


def test_all_kinds_are_judged_on_the_sales_where_all_answered() -> None:
    found = quality.errors(frame(sold(110), sold(None), sold(90, champion=None)))

    assert {kind: errors.sales for kind, errors in found.items()} == {
        "naive": 1,
        "champion": 1,
        "answer": 1,
    }


def test_a_kind_that_never_answered_is_left_out_and_takes_no_sale_away() -> None:
    found = quality.errors(frame(sold(110, champion=None), sold(90, champion=None)))

    assert set(found) == {"naive", "answer"}
    assert found["answer"].sales == 2


def test_without_intervals_the_coverage_is_unknown() -> None:
    bare = msgspec.structs.replace(sold(110), price_low=None, price_high=None)

    assert quality.errors(frame(bare))["answer"].coverage_90 is None


def test_no_outcomes_have_no_errors() -> None:
    assert quality.errors(pd.DataFrame()) == {}
    assert quality.prices(pd.DataFrame()).empty


def test_a_rise_is_measured_against_chance() -> None:
    before = quality.prices(frame(*[sold(100 + n) for n in (5, -5, 6, -6)] * 50))
    now = quality.prices(frame(*[sold(100 + n) for n in (10, -10, 11, -11)] * 50))

    found = quality.rise(before, now)

    assert found.relative == pytest.approx(0.92, abs=0.02)
    assert found.standard_errors > 10


def test_errors_without_spread_rise_beyond_chance() -> None:
    before = quality.prices(frame(*[sold(100)] * 3))
    now = quality.prices(frame(*[sold(110)] * 3))

    assert quality.rise(before, now).relative == math.inf
    assert quality.rise(before, now).standard_errors == math.inf
