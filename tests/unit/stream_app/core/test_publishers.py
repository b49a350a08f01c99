"""What makes a publisher doubted, and what ends that."""

import math
from collections.abc import Iterable

import pytest

from stream_app.contract.predictions import Doubt
from stream_app.contract.rejects import InvariantBroken
from stream_app.contract.remedies import DOUBTS
from stream_app.core import publishers
from stream_app.core.publishers import (
    HABIT_MIN,
    JUDGED_MIN,
    PRESENT_LIMIT,
    REFUSED_END,
    REFUSED_LIMIT,
    SHIFTS_KEPT,
    SKEW_BELIEVED_MS,
    Publisher,
)
from tests.builders import flat, listing

FEET = -math.log(10.7639)
UNKNOWN_GRADE = listing(grade=None)


def judged(refused: Iterable[bool]) -> Publisher:
    publisher = Publisher()
    for each in refused:
        publishers.judge(publisher, refused=each)
    return publisher


def described(known: int, unknown: int) -> Publisher:
    """A publisher whose grades were known so often, and are gone since."""
    publisher = Publisher()
    for home in [listing()] * known + [UNKNOWN_GRADE] * unknown:
        publishers.describe(publisher, home)
    return publisher


def compared(*shifts_log: float | None) -> Publisher:
    publisher = Publisher()
    for shift in shifts_log:
        publishers.compare(publisher, shift)
    return publisher


def test_a_burst_of_refused_events_is_doubted() -> None:
    assert judged([False] * 200 + [True] * 15).doubts == [Doubt.REJECTS]


def test_some_refused_events_are_not() -> None:
    assert judged(n % 10 == 0 for n in range(2_000)).doubts == []


def test_a_newcomer_is_not_judged_by_a_few_events() -> None:
    assert judged([True] * (JUDGED_MIN - 1)).doubts == []
    assert judged([True] * JUDGED_MIN).doubts == [Doubt.REJECTS]


def test_good_events_end_the_doubt_and_150_are_enough() -> None:
    publisher = judged([True] * 1_000 + [False] * 100)
    assert publisher.doubts == [Doubt.REJECTS]

    for _ in range(50):
        publishers.judge(publisher, refused=False)

    assert publisher.doubts == []


def test_a_field_that_vanished_is_doubted_within_23_listings() -> None:
    assert described(known=200, unknown=21).doubts == []
    assert described(known=200, unknown=23).doubts == [Doubt.FIELD]


def test_a_field_that_was_never_there_is_not_missed() -> None:
    publisher = Publisher()
    for _ in range(200):
        publishers.describe(publisher, flat())

    assert publisher.doubts == []


def test_a_vanished_field_is_not_judged_of_a_newcomer() -> None:
    assert described(known=40, unknown=9).doubts == []


def test_a_field_that_came_back_ends_the_doubt() -> None:
    publisher = described(known=200, unknown=30)
    for _ in range(16):
        publishers.describe(publisher, listing())

    assert publisher.doubts == []


def test_a_field_that_stays_away_is_no_habit_any_more_after_300_listings() -> None:
    assert described(known=200, unknown=250).doubts == [Doubt.FIELD]
    assert described(known=200, unknown=300).doubts == []


def test_a_publisher_that_sells_in_another_unit_is_doubted_at_its_eighth_sale() -> None:
    assert compared(*[0.1] * 100, *[FEET] * 7).doubts == []
    assert compared(*[0.1] * 100, *[FEET] * 8).doubts == [Doubt.UNIT]


def test_a_few_sales_are_no_ground_for_a_doubt() -> None:
    assert compared(*[FEET] * 7).doubts == []


def test_homes_dearer_than_their_region_are_no_other_unit() -> None:
    assert compared(*[math.log(2.5)] * 50).doubts == []


def test_sales_in_the_right_unit_end_the_doubt() -> None:
    assert compared(*[FEET] * 15, *[0.1] * 8).doubts == []


def test_a_sale_that_nothing_is_known_to_hold_against_counts_as_none() -> None:
    assert compared(*[FEET] * 15, *[None] * 8).doubts == []


def test_two_doubts_stand_in_one_order() -> None:
    publisher = judged([True] * JUDGED_MIN)
    for _ in range(8):
        publishers.compare(publisher, FEET)
    other = compared(*[FEET] * 8)
    for _ in range(JUDGED_MIN):
        publishers.judge(other, refused=True)

    assert publisher.doubts == other.doubts == [Doubt.REJECTS, Doubt.UNIT]


def test_a_clock_that_was_set_right_is_told_so_in_time() -> None:
    publisher = Publisher()
    publishers.time(publisher, -60_000)
    for _ in range(1_000):
        assert publishers.least_lag_ms(publisher) == -60_000
        publishers.judge(publisher, refused=False)
        if publisher.judged < 1_000:
            publishers.time(publisher, 200)
    publishers.time(publisher, 300)

    assert publishers.least_lag_ms(publisher) == 200


@pytest.mark.parametrize("lag_ms", [SKEW_BELIEVED_MS, -SKEW_BELIEVED_MS, 400 * SKEW_BELIEVED_MS])
def test_a_history_told_anew_says_nothing_of_a_clock(lag_ms: int) -> None:
    publisher = Publisher()

    publishers.time(publisher, lag_ms)

    assert publishers.least_lag_ms(publisher) is None


def test_a_record_does_not_grow_with_its_events() -> None:
    publisher = described(known=300, unknown=700)
    for n in range(1_000):
        publishers.judge(publisher, refused=n % 2 == 0)
        publishers.compare(publisher, 0.1 * n)
        publishers.time(publisher, n)
        publishers.count(publisher, f"kind-{n % 60}:verdict")

    assert len(publisher.shifts) == SHIFTS_KEPT
    assert len(publishers.freeze(publisher)) < 2_000


def test_a_record_comes_back_as_it_was() -> None:
    publisher = judged([True] * JUDGED_MIN)
    publishers.count(publisher, "rejected:area")

    assert publishers.thaw(publishers.freeze(publisher)) == publisher


def test_what_is_no_record_is_our_fault() -> None:
    with pytest.raises(InvariantBroken, match="publisher record of 1 bytes"):
        publishers.thaw(b"?")


def test_every_doubt_is_explained_with_its_limits() -> None:
    assert set(DOUBTS) == set(Doubt)
    rejects, field = DOUBTS[Doubt.REJECTS], DOUBTS[Doubt.FIELD]
    assert f"{REFUSED_LIMIT:.0%}".replace("%", " %") in rejects.meaning
    assert f"{JUDGED_MIN} events" in rejects.meaning
    assert f"{REFUSED_END:.0%}".replace("%", " %") in rejects.ends_when
    assert f"{HABIT_MIN:.0%}".replace("%", " %") in field.meaning
    assert f"{PRESENT_LIMIT:.0%}".replace("%", " %") in field.meaning
    assert f"newest {SHIFTS_KEPT} sales" in DOUBTS[Doubt.UNIT].meaning
