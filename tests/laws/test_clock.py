"""A region's clock never moves back, and no single event moves it far ahead."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.core import watermark
from stream_app.core.watermark import LEAP_MS, Clock, Timing
from tests.builders import DAY_MS
from tests.laws.law import LAW, PLANTED

LATENESS_MS = DAY_MS
Observe = Callable[[Clock, int, str], Timing]

# Days from the time reached so far; 45 are a leap.
STEPS = st.lists(st.sampled_from([-50, -1, 0, 30, 44, 46, 60, 900]), min_size=4, max_size=20)


def times_of(steps: list[int]) -> list[int]:
    times_ms, reached_ms = [1_000 * DAY_MS], 1_000 * DAY_MS
    for days in steps:
        times_ms.append(reached_ms + days * DAY_MS)
        reached_ms += days * DAY_MS if 0 < days < 45 else 0
    return times_ms


def observe(clock: Clock, at_ms: int, event_id: str) -> Timing:
    return watermark.observe(clock, at_ms, event_id, LATENESS_MS)


def check_law(judge: Observe, how: settings = LAW) -> None:
    @how
    @given(STEPS.map(times_of))
    def clock_moves_on_and_not_too_far(times_ms: list[int]) -> None:
        clock = Clock()
        for number, at_ms in enumerate(times_ms):
            before_ms, others = clock.newest_ms, times_ms[:number]
            timing = judge(clock, at_ms, f"e-{number}")
            turned_back = number == 1 and at_ms < before_ms - LEAP_MS
            assert clock.newest_ms >= before_ms or turned_back
            witnesses = [t for t in [*others, at_ms] if t >= clock.newest_ms - LEAP_MS]
            assert not before_ms or len(witnesses) > 1 or clock.newest_ms <= before_ms + LEAP_MS
            assert (timing is Timing.LATE) is (at_ms < before_ms - LATENESS_MS and not turned_back)

    clock_moves_on_and_not_too_far()


def observe_and_turn_back(clock: Clock, at_ms: int, event_id: str) -> Timing:
    """Planted: a leap that the clock has passed since is still a witness (it was so once)."""
    leap_ms, leap_event_id = clock.leap_ms, clock.leap_event_id
    timing = observe(clock, at_ms, event_id)
    if timing is Timing.ON_TIME and leap_event_id:
        clock.leap_ms, clock.leap_event_id = leap_ms, leap_event_id
    return timing


def observe_and_believe(clock: Clock, at_ms: int, event_id: str) -> Timing:
    """Planted: believes whatever it is told."""
    late = at_ms < clock.newest_ms - LATENESS_MS
    clock.newest_ms = max(clock.newest_ms, at_ms)
    return Timing.LATE if late else Timing.ON_TIME


def observe_the_newest(clock: Clock, at_ms: int, event_id: str) -> Timing:
    """Planted: the clock is that of the last event."""
    timing = observe(clock, at_ms, event_id)
    clock.newest_ms = at_ms
    return timing


def test_the_clock_moves_on_and_not_too_far() -> None:
    check_law(observe)


@pytest.mark.parametrize(
    "planted", [observe_and_turn_back, observe_and_believe, observe_the_newest]
)
def test_the_law_of_the_clock_catches(planted: Observe) -> None:
    with pytest.raises(AssertionError):
        check_law(planted, PLANTED)
