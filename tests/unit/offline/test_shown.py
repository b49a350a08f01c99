"""A person reads one figure a line and tables; nothing of Python shows, and nothing is told twice."""

import pytest

from offline import shown

SERVED = {"naive": {"mae": 174127.05, "bias": -0.0178}, "answer": {"mae": 40995.27, "bias": None}}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (63090.70325459716, "63,091"),
        (-0.022802029649, "-0.023"),
        (0.00004, "4.0e-05"),
        (0.0, "0.000"),
        (1.0, "1.000"),
        (221.0, "221"),
        (1200, "1,200"),
        (float("nan"), "nan"),
        (None, "-"),
        (True, "yes"),
        ([], "-"),
        ({}, "-"),
        ("trained by hand", "trained by hand"),
    ],
)
def test_a_figure_is_as_exact_as_it_is_read(value: object, text: str) -> None:
    assert shown.lines({"it": value}) == [f"it  {text}"]


def test_a_time_is_a_date() -> None:
    assert shown.lines({"from_ms": 1_429_012_800_001}) == ["from  2015-04-14 12:00 UTC"]


def test_a_list_is_lines_and_an_object_is_indented() -> None:
    assert shown.lines({"reasons": ("homes: few", "gain: none"), "split": {"older": 899}}) == [
        "reasons  homes: few",
        "         gain: none",
        "split",
        "  older  899",
    ]


def test_what_is_alike_is_a_table_without_empty_columns() -> None:
    deeds = [{"by": "me", "error": None, "n": 5}, {"by": "somebody", "error": "", "n": 1000}]

    assert shown.lines({"deeds": deeds}) == [
        "deeds",
        "  by            n",
        "  me            5",
        "  somebody  1,000",
    ]


def test_tables_by_two_names_are_one() -> None:
    assert shown.lines({"by_year": {2014: SERVED}}) == [
        "by_year",
        "                   mae    bias",
        "  2014 naive   174,127  -0.018",
        "  2014 answer   40,995       -",
    ]


def test_a_long_text_stands_whole_beneath_its_row_and_a_hash_within() -> None:
    deeds = [{"at": "today", "why": "no\n" * 40, "sha256": "5" * 64}, {"at": "now", "why": "-"}]

    assert shown.lines({"deeds": deeds}) == [
        "deeds",
        "  at     sha256",
        f"  today  {'5' * 64}",
        f"      why: {'no ' * 39}no",
        "  now    -",
    ]


def test_a_table_of_nothing_is_no_table() -> None:
    found = [{}, {"error": None}, {"error": "no " * 20}]

    assert shown.lines({"found": found}) == ["found", f"      error: {'no ' * 19}no"]
