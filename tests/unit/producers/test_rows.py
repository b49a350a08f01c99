"""Text to values: what is a number, what is unknown, what is told."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.sources.rows import BadCell, Row


@pytest.mark.parametrize(
    ("text", "number", "repaired"),
    [
        ("85.5", 85.5, []),
        (" 85 ", 85.0, []),
        ("1.225e+006", 1_225_000.0, []),
        ("-122.257", -122.257, []),
        ("1,200", 1200.0, ["price"]),
        ("1,234,567.5", 1_234_567.5, ["price"]),
    ],
    ids=["decimal", "blanks", "exponent", "negative", "thousands", "millions"],
)
def test_a_number_is_read_and_thousands_separators_are_counted_as_repaired(
    text: str, number: float, repaired: list[str]
) -> None:
    row = Row({"price": text})

    assert row.number("price") == number
    assert row.repaired == repaired


@pytest.mark.parametrize("text", ["abc", "1,20", "12,34", "1_000", "inf", "1e999", "$5", "٣"])
def test_what_is_no_number_is_told_with_its_column_and_value(text: str) -> None:
    with pytest.raises(BadCell) as told:
        Row({"price": text}).number("price")

    assert "column price" in str(told.value)
    assert repr(text) in str(told.value)


@pytest.mark.parametrize("text", ["", " ", "NA", "nan", "NULL", "None", "-", "?"])
def test_what_files_write_for_unknown_is_none_where_it_may_be_and_told_where_not(text: str) -> None:
    row = Row({"bathrooms": text})

    assert row.number_or_none("bathrooms") is None
    with pytest.raises(BadCell, match="column bathrooms"):
        row.number("bathrooms")


def test_a_column_that_is_not_there_is_unknown() -> None:
    assert Row({}).number_or_none("latitude") is None


@pytest.mark.parametrize("text", ["2.5", "x"])
def test_a_part_of_a_bedroom_is_told(text: str) -> None:
    with pytest.raises(BadCell, match="column bedrooms"):
        Row({"bedrooms": text}).whole("bedrooms")


def test_yes_is_1_and_no_is_0_and_nothing_else() -> None:
    assert Row({"waterfront": "1"}).yes_or_none("waterfront") is True
    assert Row({"waterfront": "0"}).yes_or_none("waterfront") is False
    assert Row({"waterfront": ""}).yes_or_none("waterfront") is None
    with pytest.raises(BadCell, match="'2' is not 0 or 1"):
        Row({"waterfront": "2"}).yes_or_none("waterfront")


def test_a_time_with_a_zone_becomes_utc() -> None:
    assert Row({"date": "1970-01-01T01:00:00+01:00"}).date_ms("date") == 0


def test_a_date_that_is_none_is_told() -> None:
    with pytest.raises(BadCell, match="column date: '20141313' is not a date"):
        Row({"date": "20141313"}).date_ms("date")


@settings(derandomize=True, database=None, deadline=None)
@given(st.text())
def test_any_text_is_a_finite_number_or_unknown_or_told(text: str) -> None:
    try:
        number = Row({"price": text}).number_or_none("price")
    except BadCell:
        return
    assert number is None or math.isfinite(number)


@settings(derandomize=True, database=None, deadline=None)
@given(st.integers(-(10**12), 10**12))
def test_a_number_with_and_without_separators_is_the_same(number: int) -> None:
    assert Row({"price": f"{number:,}"}).number("price") == number
    assert Row({"price": str(number)}).number("price") == number
