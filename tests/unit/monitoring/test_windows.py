"""Windows are whole days of UTC, the last one out."""

import pytest

from monitoring.windows import BadWindow, Window, parse, season_before, words
from stream_app.contract.spans import DAY_MS


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


def test_the_season_before_is_of_the_same_weekdays() -> None:
    then = season_before(parse("2015-03-02..2015-03-30"))

    assert then is not None
    assert words(then) == "2014-03-03..2014-03-31"  # Mondays, all of them


def test_more_than_a_year_has_no_season_before() -> None:
    assert season_before(Window(0, 365 * DAY_MS)) is None
