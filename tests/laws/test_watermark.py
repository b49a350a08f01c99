"""A partition's watermark never moves back, and follows no region to an absurd date."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.core import watermark
from stream_app.core.watermark import LEAP_MS, WITNESSES, Watermark
from tests.builders import DAY_MS, LISTED_MS
from tests.laws.law import LAW, PLANTED

Follow = Callable[[Watermark, int], None]

# Hours to the next honest event, and how many absurd ones come before it.
DAYS = st.lists(
    st.tuples(st.integers(0, 24), st.sampled_from([0, 0, 0, 1, 2, 50, WITNESSES - 1])),
    min_size=2 * WITNESSES,
    max_size=2 * WITNESSES + 20,
)


def check_not_led_astray(follow: Follow, how: settings = LAW) -> None:
    @how
    @given(DAYS)
    def absurd_dates_do_not_lead_astray(days: list[tuple[int, int]]) -> None:
        mark, now_ms = Watermark(LISTED_MS), LISTED_MS
        for hours, absurd in days:
            for number in range(absurd):
                follow(mark, now_ms + 3_000 * DAY_MS + number)
            now_ms += hours * 3_600_000
            before_ms = mark.newest_ms
            follow(mark, now_ms)
            assert before_ms <= mark.newest_ms == now_ms

    absurd_dates_do_not_lead_astray()


def check_goes_on(follow: Follow) -> None:
    """After a silence of any length, and at the very start."""
    for begins_ms in (0, LISTED_MS):
        mark, after_ms = Watermark(begins_ms), LISTED_MS + 2 * LEAP_MS
        for number in range(WITNESSES):
            assert mark.newest_ms == begins_ms
            follow(mark, after_ms + number * 60_000)
        assert mark.newest_ms == after_ms  # the earliest of those that spoke for it


def follow_anyone(mark: Watermark, at_ms: int) -> None:
    """Planted: time is what the newest event says (as it once was)."""
    mark.newest_ms = max(mark.newest_ms, at_ms)


def follow_two(mark: Watermark, at_ms: int) -> None:
    """Planted: two events are enough, as for a region."""
    if mark.leap_events:
        mark.leap_events = WITNESSES - 1
    watermark.follow(mark, at_ms)


def follow_any_hundred(mark: Watermark, at_ms: int) -> None:
    """Planted: they need not come in a row."""
    leap_ms, leap_events = mark.leap_ms, mark.leap_events
    watermark.follow(mark, at_ms)
    if leap_events and not mark.leap_events and mark.newest_ms == at_ms:
        mark.leap_ms, mark.leap_events = leap_ms, leap_events


def follow_nobody(mark: Watermark, at_ms: int) -> None:
    """Planted: a leap is never believed, so nothing is forgotten any more."""
    if at_ms <= mark.newest_ms + LEAP_MS:
        watermark.follow(mark, at_ms)


def follow_the_last(mark: Watermark, at_ms: int) -> None:
    """Planted: leaps to the last event, which may be the farthest."""
    watermark.follow(mark, at_ms)
    if mark.leap_events:
        mark.leap_ms = at_ms + 60_000


def test_absurd_dates_do_not_lead_a_partition_astray() -> None:
    check_not_led_astray(watermark.follow)


@pytest.mark.parametrize("planted", [follow_anyone, follow_two, follow_any_hundred])
def test_the_law_of_the_watermark_catches(planted: Follow) -> None:
    with pytest.raises(AssertionError):
        check_not_led_astray(planted, PLANTED)


def test_a_partition_goes_on_after_a_silence() -> None:
    check_goes_on(watermark.follow)


@pytest.mark.parametrize("planted", [follow_nobody, follow_anyone, follow_the_last])
def test_the_law_of_silence_catches(planted: Follow) -> None:
    with pytest.raises(AssertionError):
        check_goes_on(planted)
