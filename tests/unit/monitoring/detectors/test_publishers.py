"""What one publisher does wrong is told of it alone: units, nulls, refusals, new texts."""

import math
import random
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import pytest

from monitoring.detectors.categories import CategoryWatch
from monitoring.detectors.finding import Cause, Event, Finding
from monitoring.detectors.inputs import InputWatch
from monitoring.detectors.rates import RateWatch
from monitoring.detectors.units import UnitWatch

WRONG_FROM = 3_000
Spoil = Callable[[dict[str, Any]], dict[str, Any]]


class Watch(Protocol):
    def update(self, event: Event) -> list[Finding]: ...


def same(fields: dict[str, Any]) -> dict[str, Any]:
    return fields


def events(spoil: Spoil = same, who: str = "agency-b", seed: int = 2) -> Iterable[Event]:
    """Homes of three publishers; what `who` sends is spoilt from WRONG_FROM on."""
    draw = random.Random(seed)
    for n in range(4_500):
        publisher = ("agency-a", "agency-b", "agency-c")[n % 3]
        area_m2 = math.exp(draw.gauss(5.1, 0.42))
        fields: dict[str, Any] = {
            "kind": "listing",
            "area_m2": area_m2,
            "lot_m2": math.exp(draw.gauss(6.5, 0.9)),
            "sale_price": area_m2 * math.exp(draw.gauss(7.9, 0.4)),
            "bedrooms": draw.randrange(1, 6),
            "view": None if draw.random() < 0.04 else 0,
            "property_type": "house" if draw.random() < 0.9 else "flat",
        }
        if publisher == who and n >= WRONG_FROM:
            fields = spoil(fields)
        yield Event("king-county", publisher, n, fields, rejected=fields.pop("refused", False))


def found(watch: Watch, stream: Iterable[Event]) -> list[tuple[int, Finding]]:
    return [(event.at_ms, each) for event in stream for each in watch.update(event)]


@pytest.mark.parametrize(
    ("name", "factor"),
    [("area_m2", 10.7639), ("sale_price", 100.0), ("lot_m2", 10.7639), ("area_m2", 1 / 10.7639)],
)
def test_another_unit_is_told_within_100_events_of_the_publisher(name: str, factor: float) -> None:
    def spoil(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {name: fields[name] * factor}

    ((at, told),) = found(UnitWatch(), events(spoil))

    assert (at - WRONG_FROM) / 3 <= 100
    assert told.segment == f"publisher=agency-b field={name}"
    assert told.value / told.baseline == pytest.approx(factor, rel=0.6)
    assert told.since_ms >= WRONG_FROM - 3 * 15


def test_a_publisher_without_a_past_is_held_against_the_market() -> None:
    def newcomer() -> Iterable[Event]:
        for event in events(lambda fields: fields | {"area_m2": fields["area_m2"] * 10.7639}):
            new = event.publisher == "agency-b" and event.at_ms >= WRONG_FROM
            yield Event(event.market, "agency-new", event.at_ms, event.fields) if new else event

    told = found(UnitWatch(), newcomer())

    assert [each.segment for _, each in told] == ["publisher=agency-new field=area_m2"]


def test_a_field_that_is_gone_is_told_after_a_handful_of_events() -> None:
    def renamed(fields: dict[str, Any]) -> dict[str, Any]:
        return {("beds" if name == "bedrooms" else name): v for name, v in fields.items()}

    at, told = found(RateWatch(), events(renamed))[0]

    assert (told.cause, told.segment) == (Cause.NULLS, "publisher=agency-b field=bedrooms")
    assert at - WRONG_FROM < 3 * 20
    assert told.value == 1.0


def test_nulls_in_one_of_four_are_told_within_100_events() -> None:
    draw = random.Random(9)

    def some(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | ({"view": None} if draw.random() < 0.25 else {})

    (at, told), *_ = found(RateWatch(), events(some))

    assert told.segment == "publisher=agency-b field=view"
    assert (at - WRONG_FROM) / 3 < 100
    assert told.baseline == pytest.approx(0.04, abs=0.03)


def test_refusals_are_told_of_their_publisher() -> None:
    at, told = found(RateWatch(), events(lambda fields: fields | {"refused": True}))[0]

    assert (told.cause, told.segment) == (Cause.REJECTS, "publisher=agency-b")
    assert at - WRONG_FROM < 3 * 20


def test_a_category_that_was_never_there_is_told_once_and_a_typing_error_never() -> None:
    def odd(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {"property_type": "houseboat"}

    ((_, told),) = found(CategoryWatch(), events(odd))
    slip = [event for event in events(odd) if event.at_ms <= WRONG_FROM + 3 * 5]

    assert told.segment == "field=property_type value=houseboat"
    assert told.n == 10
    assert found(CategoryWatch(), slip) == []


def test_a_number_that_is_spread_in_another_way_is_told_with_its_effect() -> None:
    def larger(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {"bedrooms": 5}

    told = [each for _, each in found(InputWatch(), events(larger))]

    assert {each.segment for each in told} == {"field=bedrooms"}
    assert all(each.p_value is not None and each.p_value < 1e-6 for each in told)


@pytest.mark.parametrize("watch", [UnitWatch, RateWatch, CategoryWatch, InputWatch])
def test_three_quiet_streams_tell_nothing(watch: type[Watch]) -> None:
    assert [found(watch(), events(seed=seed)) for seed in (3, 4, 5)] == [[], [], []]
