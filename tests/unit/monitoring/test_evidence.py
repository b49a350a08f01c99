"""What is known of a market follows from the rows alone, and a champion is told by its own answers."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from monitoring import criteria, policy
from monitoring.detectors.clock import Clock
from monitoring.detectors.finding import Cause, Event
from monitoring.evidence import ERRORS_KEPT, Market, Sale, summed
from monitoring.history import History
from monitoring.policy import Now
from stream_app.contract.alerts import NextStep, Trigger
from stream_app.contract.spans import DAY_MS
from tests.builders import MARKET
from tests.unit.monitoring.markets import (
    ANNOUNCED_MS,
    DAYS_FROM,
    TRAINED_MS,
    later,
    promote,
    sales,
    with_champion,
)


def causes(market: Market) -> set[Cause]:
    return {finding.cause for finding in market.findings()}


def test_errors_are_those_of_the_champion_newest_and_as_it_began() -> None:
    market = with_champion(
        sales(600), sales(ERRORS_KEPT, day=30, spread=0.3), sales(100, "v0", day=60, spread=3)
    )

    known = market.evidence(None)

    assert (known.champion, known.trained_ms, known.labels_new) == ("v1", TRAINED_MS, 1_200)
    assert known.errors_before is not None
    assert known.errors is not None
    assert known.errors.n == known.errors_before.n == ERRORS_KEPT
    assert known.errors_before.mean == pytest.approx(0.08, abs=0.01)
    assert known.errors.mean == pytest.approx(0.24, abs=0.02)


def test_a_shock_is_found_in_the_answers_of_the_champion() -> None:
    market = with_champion(sales(400), sales(200, day=20, shift_log=0.12))

    assert Cause.PRICE_LEVEL in causes(market)


def test_detectors_begin_anew_with_another_champion_and_take_only_its_answers() -> None:
    market = with_champion(sales(400), sales(200, day=20, shift_log=0.12))

    promote(market, "v2", ANNOUNCED_MS + DAY_MS)
    for sale in later(sales(400, day=30, shift_log=0.12), DAY_MS):
        market.take_sale(sale)

    assert causes(market) == set()
    assert market.evidence(None).errors is None


def test_after_a_roll_back_what_was_answered_before_it_is_not_taken_again() -> None:
    """A restart reads who serves first, and then the old answers of the same champion."""
    live, restarted = Market(MARKET), Market(MARKET)
    old = list(sales(400))
    new = list(later(sales(200, day=40, shift_log=0.12), 2 * DAY_MS))
    promote(live, "v1")
    for sale in old:
        live.take_sale(sale)
    for market in (live, restarted):
        if market is restarted:
            promote(market, "v1")
        promote(market, "v2", ANNOUNCED_MS + DAY_MS)
        promote(market, "v1", ANNOUNCED_MS + 2 * DAY_MS)
    for sale in old:
        restarted.take_sale(sale)
    for sale in new:
        live.take_sale(sale)
        restarted.take_sale(sale)

    assert live.evidence(None) == restarted.evidence(None)
    assert causes(live) == set()  # 200 labels are no baseline yet


def test_what_a_doubted_publisher_sold_tells_of_no_model() -> None:
    wrong: Iterable[Sale] = (
        replace(sale, teaches=False) for sale in sales(300, day=20, shift_log=2)
    )
    market = with_champion(sales(400), wrong)

    assert causes(market) == set()
    assert market.evidence(None).labels_new == 400


def test_one_wrong_date_does_not_move_the_markets_time() -> None:
    clock = Clock()
    for at_ms in (5, 7, 1_000, 9, 8):
        clock.reach(at_ms)

    assert clock.time_ms == 9


def listed(day: float, area_m2: float, publisher: str = "agency-b") -> Event:
    at_ms = int((DAYS_FROM + day) * DAY_MS)
    return Event(MARKET, publisher, at_ms, {"kind": "listing", "area_m2": area_m2})


def with_unit_error(from_day: int, to_day: int, days: int) -> Market:
    """A publisher of five homes a day sends square feet from one day to the other."""
    market = with_champion(sales(20 * (days + 1)))
    for n in range(5 * days):
        feet = from_day <= n / 5 < to_day
        market.take_event(listed(n / 5, (90 + n % 40) * (10.7639 if feet else 1)))
    return market


def test_a_unit_error_is_bad_data_for_as_long_as_it_goes_on() -> None:
    (lasting,) = with_unit_error(20, 90, days=60).findings()
    (mended,) = with_unit_error(20, 40, days=60).findings()

    assert lasting.cause is mended.cause is Cause.UNIT
    assert "agency-b sends area_m2" in lasting.likely
    assert lasting.seen_ms // DAY_MS == DAYS_FROM + 59
    assert DAYS_FROM + 40 <= mended.seen_ms // DAY_MS <= DAYS_FROM + 45


def test_sales_that_are_missing_are_told_and_call_for_no_training() -> None:
    market = with_champion()
    for day in range(80):
        for n in range(10 if day < 60 else 1):
            at_ms = (DAYS_FROM + day) * DAY_MS
            market.take_event(Event(MARKET, "agency-b", at_ms, {"kind": "sale"}))
            market.take_sale(next(sales(1, day=day, seed=n)))

    assert causes(market) == {Cause.VOLUME}
    decided = policy.decide(
        market.evidence(None), History(), Now(market.time_ms, ANNOUNCED_MS), criteria.shipped()
    )
    assert set(decided.triggers) <= {Trigger.SCHEDULE}


def test_what_was_read_ahead_of_the_market_is_not_known_yet() -> None:
    market = with_unit_error(20, 90, days=60)
    behind = with_champion(sales(200))
    for n in range(300):
        behind.take_event(listed(n / 5, (90 + n % 40) * (10.7639 if n > 100 else 1)))

    assert causes(market) == {Cause.UNIT}
    assert causes(behind) == set()


def test_only_a_champion_that_never_served_is_on_probation() -> None:
    market = with_champion(sales(600))
    first = market.trial({}, 0)
    promote(market, "v2", ANNOUNCED_MS + DAY_MS)
    for sale in sales(50, "v2", day=30, spread=0.2):
        market.take_sale(sale)

    trial = market.trial({}, 7)
    over = market.trial({"v2": NextStep.CONFIRM}, 7)
    promote(market, "v1", ANNOUNCED_MS + 2 * DAY_MS)

    assert first is over is market.trial({}, 0) is None
    assert trial is not None
    assert (trial.version, trial.before, trial.began_ms) == ("v2", "v1", 7)
    assert trial.errors is not None
    assert trial.errors_before is not None
    assert (trial.errors.n, trial.errors_before.n) == (50, ERRORS_KEPT)


def test_a_mean_of_one_has_no_error() -> None:
    assert summed([0.1]) is None
    assert summed([0.1, 0.3, 5.0]) is not None
