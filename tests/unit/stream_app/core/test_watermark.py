"""The clock of a region: what is late, what leaps, and who is believed."""

import pytest

from stream_app.contract.spans import DAY_MS
from stream_app.core import watermark
from stream_app.core.watermark import LEAP_MS, Clock, Timing

NEWEST_MS = 100 * DAY_MS
LATENESS_MS = DAY_MS


def observe(clock: Clock, at_ms: int, event_id: str) -> Timing:
    return watermark.observe(clock, at_ms, event_id, LATENESS_MS)


def clock() -> Clock:
    return Clock(newest_ms=NEWEST_MS)


@pytest.mark.parametrize(
    ("at_ms", "timing"),
    [
        (NEWEST_MS, Timing.ON_TIME),
        (NEWEST_MS - LATENESS_MS, Timing.ON_TIME),
        (NEWEST_MS - LATENESS_MS - 1, Timing.LATE),
        (NEWEST_MS + LEAP_MS, Timing.ON_TIME),
        (NEWEST_MS + LEAP_MS + 1, Timing.LEAP),
    ],
    ids=["now", "just on time", "just late", "just believed", "just a leap"],
)
def test_an_event_is_judged_by_the_newest_time_believed(at_ms: int, timing: Timing) -> None:
    assert observe(clock(), at_ms, "a") is timing


@pytest.mark.parametrize("at_ms", [0, DAY_MS, NEWEST_MS])
def test_the_first_event_of_a_region_is_on_time(at_ms: int) -> None:
    assert observe(Clock(), at_ms, "a") is Timing.ON_TIME


def test_an_event_on_time_moves_the_clock() -> None:
    moved = clock()

    observe(moved, NEWEST_MS + DAY_MS, "a")

    assert moved.newest_ms == NEWEST_MS + DAY_MS


def test_a_late_event_leaves_the_clock_alone() -> None:
    moved = clock()

    observe(moved, DAY_MS, "a")

    assert moved == clock()


def test_a_leap_is_not_believed_at_once() -> None:
    moved = clock()

    observe(moved, 900 * DAY_MS, "a")

    assert moved == Clock(NEWEST_MS, 900 * DAY_MS, "a")


def test_the_same_event_is_no_second_witness() -> None:
    moved = clock()
    observe(moved, 900 * DAY_MS, "a")

    assert observe(moved, 900 * DAY_MS, "a") is Timing.LEAP


def test_a_second_witness_nearby_confirms_a_leap() -> None:
    moved = clock()
    observe(moved, 900 * DAY_MS, "a")

    assert observe(moved, 901 * DAY_MS, "b") is Timing.ON_TIME
    assert moved == Clock(901 * DAY_MS)


def test_a_nearer_second_witness_is_believed_alone() -> None:
    moved = clock()
    observe(moved, 900 * DAY_MS, "absurd")

    assert observe(moved, 200 * DAY_MS, "b") is Timing.ON_TIME
    assert moved == Clock(200 * DAY_MS)


def test_a_farther_second_witness_confirms_the_first_and_leaps_itself() -> None:
    moved = clock()
    observe(moved, 200 * DAY_MS, "a")

    assert observe(moved, 900 * DAY_MS, "absurd") is Timing.LEAP
    assert moved == Clock(200 * DAY_MS, 900 * DAY_MS, "absurd")


def test_a_leap_that_the_clock_has_passed_is_no_witness() -> None:
    moved = clock()
    observe(moved, 150 * DAY_MS, "leapt")
    for day in (120, 140, 160):
        observe(moved, day * DAY_MS, f"day {day}")

    assert observe(moved, 300 * DAY_MS, "b") is Timing.LEAP
    assert moved == Clock(160 * DAY_MS, 300 * DAY_MS, "b")


def test_a_first_date_that_the_second_event_is_far_behind_is_taken_back() -> None:
    moved = Clock()
    observe(moved, 900 * DAY_MS, "absurd")

    assert observe(moved, NEWEST_MS, "b") is Timing.ON_TIME
    assert moved == Clock(NEWEST_MS, 900 * DAY_MS, "absurd")


def test_a_first_date_that_was_right_is_believed_again_with_the_next_witness() -> None:
    moved = Clock()
    for at_ms, event_id in ((900 * DAY_MS, "a"), (NEWEST_MS, "absurd")):
        observe(moved, at_ms, event_id)

    assert observe(moved, 901 * DAY_MS, "c") is Timing.ON_TIME
    assert moved == Clock(901 * DAY_MS)


@pytest.mark.parametrize("days_behind", [0, 10, 45], ids=["none", "late", "as far as may be"])
def test_a_first_date_stands_once_a_second_event_is_near(days_behind: int) -> None:
    moved = Clock()
    observe(moved, NEWEST_MS, "a")
    observe(moved, NEWEST_MS - days_behind * DAY_MS, "b")

    assert observe(moved, NEWEST_MS - 60 * DAY_MS, "absurd") is Timing.LATE
    assert moved.newest_ms == NEWEST_MS


def test_a_leap_that_the_clock_reached_to_the_millisecond_does_not_turn_it_back() -> None:
    moved = clock()
    observe(moved, 150 * DAY_MS, "leapt")
    for day in (120, 150):
        observe(moved, day * DAY_MS, f"day {day}")

    assert observe(moved, DAY_MS, "old") is Timing.LATE
    assert moved == Clock(150 * DAY_MS)
