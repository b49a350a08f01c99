"""Windows are whole days of UTC, the last one out."""

import pytest

from monitoring.windows import BadWindow, Window, parse, words


def test_a_window_goes_from_midnight_to_midnight() -> None:
    assert parse("1970-01-02..1970-01-04") == Window(86_400_000, 3 * 86_400_000)


def test_a_window_is_told_as_it_is_given() -> None:
    assert words(parse("2014-09-01..2015-01-01")) == "2014-09-01..2015-01-01"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2014-09-01", "two days are wanted"),
        ("2014-09..2015-01-01", "2014-09"),
        ("2014-09-31..2015-01-01", "day is out of range"),
        ("2015-01-01..2015-01-01", "TO must be after FROM"),
        ("", "two days are wanted"),
    ],
)
def test_what_is_no_window_is_told_with_its_text(text: str, why: str) -> None:
    with pytest.raises(BadWindow, match=why) as told:
        parse(text)

    assert repr(text) in str(told.value)
