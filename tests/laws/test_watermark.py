"""A partition's watermark never moves back; no region alone leads it astray, or holds it."""

from collections.abc import Callable
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.core import watermark
from stream_app.core.watermark import LEAP_MS, WITNESSES, Watermark
from tests.builders import DAY_MS, LISTED_MS
from tests.laws.law import LAW, PLANTED

Follow = Callable[[Watermark, str, int], None]

ABSURD_MS = 3_000 * DAY_MS
# Hours to the next honest event, how many absurd ones of one region come before it, and
# whether another region joins in: rarely, or it is the regions that are honest which err.
DAYS = st.lists(
    st.tuples(st.integers(0, 24), st.sampled_from([0, 0, 1, 2, 50, 2 * WITNESSES]), st.booleans()),
    min_size=2 * WITNESSES,
    max_size=2 * WITNESSES + 20,
)
# How many events others send before one comes from the region that stays behind.
GAPS = st.lists(st.integers(2, 99), min_size=2 * WITNESSES, max_size=2 * WITNESSES)


def check_not_led_astray(follow: Follow, how: settings = LAW) -> None:
    """By one region, whatever it sends, and by others now and then."""

    @how
    @given(DAYS)
    def absurd_dates_do_not_lead_astray(days: list[tuple[int, int, bool]]) -> None:
        mark, now_ms = Watermark(LISTED_MS, regions=["a", "b"]), LISTED_MS
        for number, (hours, absurd, joined) in enumerate(days):
            for more in range(absurd):
                follow(mark, "absurd", now_ms + ABSURD_MS + more)
            if joined and number % 2 == 0:
                follow(mark, "a", now_ms + ABSURD_MS)
            now_ms += hours * 3_600_000
            before_ms = mark.newest_ms
            follow(mark, "abc"[number % 3], now_ms)
            assert before_ms <= mark.newest_ms == now_ms

    absurd_dates_do_not_lead_astray()


def check_not_held(follow: Follow, how: settings = LAW) -> None:
    """By one region that stays where it is, while others go on after a silence."""

    @how
    @given(GAPS)
    def a_region_that_stays_behind_holds_nobody(gaps: list[int]) -> None:
        mark, now_ms = Watermark(LISTED_MS), LISTED_MS + 1_000 * DAY_MS
        others = cycle("abc")
        for gap in gaps:
            follow(mark, "behind", LISTED_MS)
            for _ in range(gap):
                follow(mark, next(others), now_ms)
        assert mark.newest_ms == now_ms

    a_region_that_stays_behind_holds_nobody()


def check_goes_on(follow: Follow) -> None:
    """After a silence of any length, and at the very start; with one region, and with two."""
    for begins_ms in (0, LISTED_MS):
        for regions in ("a", "ab"):
            mark, after_ms = Watermark(begins_ms, regions=list(regions)), LISTED_MS + 2 * LEAP_MS
            for number in range(WITNESSES):
                assert mark.newest_ms == begins_ms
                follow(mark, regions[number % len(regions)], after_ms + number * 60_000)
            assert mark.newest_ms == after_ms  # the earliest of those that spoke for it


def follow_anyone(mark: Watermark, region: str, at_ms: int) -> None:
    """Planted: time is what the newest event says (as it once was)."""
    del region
    mark.newest_ms = max(mark.newest_ms, at_ms)


def follow_two(mark: Watermark, region: str, at_ms: int) -> None:
    """Planted: two votes are enough, as for a region."""
    if mark.leap_votes:
        mark.leap_votes = WITNESSES - 1
    watermark.follow(mark, region, at_ms)


def follow_one_region(mark: Watermark, region: str, at_ms: int) -> None:
    """Planted: each event of a region is a vote (as it once was)."""
    mark.leap_region = ""
    watermark.follow(mark, region, at_ms)


def follow_any_hundred(mark: Watermark, region: str, at_ms: int) -> None:
    """Planted: nobody votes against a leap."""
    votes = mark.leap_votes
    watermark.follow(mark, region, at_ms)
    if mark.leap_votes == votes - 1:
        mark.leap_votes = votes


def follow_if_nobody_objects(mark: Watermark, region: str, at_ms: int) -> None:
    """Planted: votes must come in a row (as it once was)."""
    if at_ms <= mark.newest_ms + LEAP_MS:
        mark.leap_votes = 0
    watermark.follow(mark, region, at_ms)


def follow_unless_held(mark: Watermark, region: str, at_ms: int) -> None:
    """Planted: each event of a region that is behind is a vote against."""
    if at_ms <= mark.newest_ms + LEAP_MS:
        mark.leap_votes = max(0, mark.leap_votes - 10)
    watermark.follow(mark, region, at_ms)


def follow_nobody(mark: Watermark, region: str, at_ms: int) -> None:
    """Planted: a leap is never believed, so nothing is forgotten any more."""
    if at_ms <= mark.newest_ms + LEAP_MS:
        watermark.follow(mark, region, at_ms)


def follow_several(mark: Watermark, region: str, at_ms: int) -> None:
    """Planted: a region that is the only one waits for another."""
    mark.regions = ["a", "b"]
    watermark.follow(mark, region, at_ms)


def follow_the_last(mark: Watermark, region: str, at_ms: int) -> None:
    """Planted: leaps to the last event, which may be the farthest."""
    watermark.follow(mark, region, at_ms)
    if mark.leap_votes:
        mark.leap_ms = at_ms + 60_000


def test_absurd_dates_do_not_lead_a_partition_astray() -> None:
    check_not_led_astray(watermark.follow)


@pytest.mark.parametrize(
    "planted", [follow_anyone, follow_two, follow_one_region, follow_any_hundred]
)
def test_the_law_of_the_watermark_catches(planted: Follow) -> None:
    with pytest.raises(AssertionError):
        check_not_led_astray(planted, PLANTED)


def test_a_region_that_stays_behind_holds_nobody() -> None:
    check_not_held(watermark.follow)


@pytest.mark.parametrize("planted", [follow_nobody, follow_if_nobody_objects, follow_unless_held])
def test_the_law_of_those_behind_catches(planted: Follow) -> None:
    with pytest.raises(AssertionError):
        check_not_held(planted, PLANTED)


def test_a_partition_goes_on_after_a_silence() -> None:
    check_goes_on(watermark.follow)


@pytest.mark.parametrize("planted", [follow_nobody, follow_anyone, follow_several, follow_the_last])
def test_the_law_of_silence_catches(planted: Follow) -> None:
    with pytest.raises(AssertionError):
        check_goes_on(planted)
