"""A backtest serves as the stream does: nothing early, judged at the listing."""

from typing import Any

import msgspec
import pytest

from offline import backtest, log
from offline.backtest import Plan
from offline.splits import NotEnough
from stream_app.contract.events import AnyEvent
from tests import builders, sales

TRAIN_TO_MS = sales.BEGAN_MS + 230 * builders.DAY_MS
PLAN = Plan(sales.MARKET, TRAIN_TO_MS, yearly=False, version_delay=0, seed=0)


def run(plan: Plan) -> tuple[dict[str, Any], list[str]]:
    told: list[str] = []
    report = backtest.run(sales.partition(sales.events()), plan, told.append)
    return report, told


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return run(PLAN)[0]


def test_only_homes_listed_after_the_training_are_judged(report: dict[str, Any]) -> None:
    listed_after = sum(
        event.event_time_ms >= TRAIN_TO_MS
        for event in sales.events()
        if event.listing_id.startswith("kc-") and hasattr(event, "area_m2")
    )

    assert report["overall"]["answer"]["rows"] == listed_after


def test_the_champion_beats_the_regional_median(report: dict[str, Any]) -> None:
    overall = report["overall"]

    assert overall["champion"]["mdape"] < 0.06 < overall["naive"]["mdape"]
    assert overall["answer"]["mae"] < 1.05 * overall["champion"]["mae"]


def test_years_and_regions_add_up(report: dict[str, Any]) -> None:
    rows = report["overall"]["answer"]["rows"]

    assert sum(part["answer"]["rows"] for part in report["by_year"].values()) == rows
    assert sum(part["answer"]["rows"] for part in report["by_region"].values()) == rows
    assert sorted(report["by_region"]) == ["kc-0", "kc-1", "kc-2"]


def test_homes_of_different_regions_may_bear_the_same_listing_id(report: dict[str, Any]) -> None:
    def shared(event: AnyEvent) -> AnyEvent:
        number = int(event.listing_id.removeprefix("kc-")) // 3  # regions take turns
        return msgspec.structs.replace(event, listing_id=f"kc-{number}")

    _, served = backtest.serve(
        sales.partition([*map(shared, sales.events())]),
        PLAN,
        say=lambda text: None,
        progress=lambda events: None,
    )

    assert len(served) == report["overall"]["answer"]["rows"]


def test_only_the_answer_has_an_interval(report: dict[str, Any]) -> None:
    overall = report["overall"]

    assert 0.8 < overall["answer"]["coverage_90"] < 1
    assert overall["champion"]["coverage_90"] is None


def test_the_same_run_gives_the_same_figures(report: dict[str, Any]) -> None:
    assert run(PLAN)[0] == report


def test_yearly_training_makes_a_champion_each_first_of_january() -> None:
    # The market begins in July 2014 and ends in June 2015.
    train_to_ms = sales.BEGAN_MS + 165 * builders.DAY_MS  # 2014-12-26

    report, told = run(PLAN._replace(train_to_ms=train_to_ms, yearly=True))

    assert [text.split(":")[0] for text in told[:2]] == ["2014-12-26", "2015-01-01"]
    assert len(set(report["champions"])) == 2


def test_a_delayed_version_serves_later_and_nothing_else_changes(report: dict[str, Any]) -> None:
    delayed, _ = run(PLAN._replace(version_delay=1))

    assert delayed["overall"]["champion"] == report["overall"]["champion"]


def test_the_interval_is_judged_by_segment(report: dict[str, Any]) -> None:
    coverage = report["coverage"]

    assert coverage["rows"] == report["overall"]["answer"]["rows"]
    assert {s["kind"] for s in coverage["segments"]} == {"region", "type", "price band"}


def test_labels_that_come_later_are_learned_from_later() -> None:
    late = log.with_late_sales(sales.partition(sales.events()), 30 * builders.DAY_MS)

    found: dict[str, Any] = backtest.run(late, PLAN, lambda text: None)

    assert found["overall"]["naive"]["rows"] == 0  # a sale so late is in no window
    assert found["overall"]["answer"]["rows"] > 200


def test_a_log_that_ends_before_the_training_is_no_backtest() -> None:
    early = [e for e in sales.events() if e.event_time_ms < TRAIN_TO_MS]

    with pytest.raises(NotEnough, match=r"king-county: nothing happened from 20\d\d-\d\d-\d\d on"):
        backtest.run(sales.partition(early), PLAN, lambda text: None)
