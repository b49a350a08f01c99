"""A field new, gone, renamed, or null too often; told with who sends it so."""

from collections.abc import Iterable

import pytest

from monitoring.alerting import fields, limits
from monitoring.alerting.causes import Condition
from monitoring.alerting.fields import Sent
from stream_app.contract.alerts import Alert, Severity

L = limits.shipped()
HOME = frozenset({"area_m2", "grade", "bedrooms", "source"})


def listings(n: int, names: Iterable[str] = HOME, publisher: str = "a") -> list[Sent]:
    return [Sent(publisher, frozenset(names))] * n


def judged(before: list[Sent], newest: list[Sent]) -> list[Alert]:
    return fields.judge("king-county", before, newest, 7, L)


def told(alerts: list[Alert]) -> list[tuple[str, str | None]]:
    return [(alert.cause, alert.segment) for alert in alerts]


def test_fields_as_before_are_no_news() -> None:
    assert judged(listings(400), listings(100)) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (HOME - {"grade"}, (Condition.FIELD_GONE, "publisher=a field=grade")),
        (HOME | {"owner"}, (Condition.FIELD_NEW, "publisher=a field=owner")),
        (HOME - {"area_m2"} | {"area"}, (Condition.FIELD_RENAMED, "publisher=a field=area_m2")),
    ],
    ids=["gone", "new", "renamed"],
)
def test_what_a_publisher_changed_is_one_alert(
    names: frozenset[str], expected: tuple[str, str]
) -> None:
    assert told(judged(listings(400), listings(100, names))) == [expected]


def test_a_rename_is_one_also_when_some_of_it_lies_before_the_newest() -> None:
    renamed = HOME - {"area_m2"} | {"area"}

    found = judged(listings(400) + listings(80, renamed), listings(100, renamed))

    assert told(found) == [(Condition.FIELD_RENAMED, "publisher=a field=area_m2")]


def test_a_name_that_is_not_in_the_contract_is_said_to_be_refused() -> None:
    (renamed,) = judged(listings(400), listings(100, HOME - {"area_m2"} | {"area_sqm"}))
    (known,) = judged(listings(400), listings(100, HOME | {"lot_m2"}))

    assert "sends area_sqm where it sent area_m2" in renamed.summary
    assert "are refused" in renamed.summary
    assert known.severity is Severity.INFO
    assert "refused" not in known.summary


def test_only_the_publisher_that_changed_is_named() -> None:
    others = listings(400, publisher="b")
    newest = listings(100, HOME - {"grade"}) + listings(100, publisher="b")

    assert told(judged(listings(400) + others, newest)) == [
        (Condition.FIELD_GONE, "publisher=a field=grade")
    ]


def test_nulls_in_a_key_field_are_told_for_the_market() -> None:
    newest = listings(90) + listings(10, HOME - {"grade"})

    (alert,) = judged(listings(400), newest)

    assert (alert.cause, alert.segment) == (Condition.KEY_NULLS, "field=grade")
    assert (alert.baseline, alert.sample_size) == (0.0, 100)
    assert alert.value == pytest.approx(0.1)


def test_a_field_that_a_small_publisher_dropped_hides_no_nulls_of_the_others() -> None:
    before = listings(900) + listings(100, publisher="b")
    newest = [*listings(225), *listings(225, HOME - {"grade"})]

    assert told(judged(before, [*newest, *listings(50, HOME - {"grade"}, publisher="b")])) == [
        (Condition.FIELD_GONE, "publisher=b field=grade"),
        (Condition.KEY_NULLS, "field=grade"),
    ]


def test_a_field_that_the_market_never_had_is_not_missed() -> None:
    assert judged(listings(400, HOME - {"grade"}), listings(100, HOME - {"grade"})) == []


def test_a_few_listings_say_nothing() -> None:
    assert judged(listings(400), listings(20, HOME - {"grade"})) == []
    assert judged(listings(20), listings(100, HOME - {"grade"})) == []
    assert judged([], []) == []


def test_one_odd_listing_is_no_news() -> None:
    assert judged(listings(400), [*listings(99), Sent("a", frozenset({"x"}))]) == []


def test_invented_names_fill_no_memory() -> None:
    invented = [Sent("a", frozenset({f"x{n}"})) for n in range(5_000)]

    assert judged(listings(400), listings(5_000) + invented) is not None
    assert len(fields._counts(invented).fields) == fields.FIELDS_MAX
