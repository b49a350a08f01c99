"""How many events come: half or double of what is usual is told, a season and a holiday are not."""

from collections.abc import Callable, Iterator

import pytest

from monitoring.detectors.finding import Cause, Event, Finding
from monitoring.detectors.volume import SERIES_MAX, VolumeWatch
from stream_app.contract.spans import DAY_MS

FIRST_DAY = 16_000
YEAR = 364
A_DAY = 12


def stream(
    days: int, count: Callable[[int, str], int], publishers: tuple[str, ...] = ("a", "b", "c")
) -> Iterator[Event]:
    """So many sales on each day of each publisher."""
    for day in range(days):
        for who in publishers:
            for _ in range(count(day, who)):
                at_ms = (FIRST_DAY + day) * DAY_MS
                yield Event("hdb", who, at_ms, {"kind": "sale"})


def told(watch: VolumeWatch, events: Iterator[Event]) -> list[Finding]:
    return [found for event in events for found in watch.update(event)]


def day_of(finding: Finding) -> int:
    return finding.seen_ms // DAY_MS - FIRST_DAY


def test_a_market_that_loses_four_fifths_is_told_within_ten_days() -> None:
    watch = VolumeWatch()

    found = told(watch, stream(120, lambda day, _: A_DAY if day < 100 else A_DAY // 5))

    market = next(one for one in found if one.segment == "kind=sale")
    assert market.cause is Cause.VOLUME
    assert 107 <= day_of(market) <= 110
    assert market.baseline == 14 * 3 * A_DAY
    assert market.value < market.baseline / 2


def test_twice_as_many_are_told_too() -> None:
    found = told(VolumeWatch(), stream(520, lambda day, _: A_DAY if day < 500 else 3 * A_DAY))

    assert {one.segment for one in found} >= {"kind=sale", "publisher=a kind=sale"}


def test_a_publisher_that_stops_is_named_where_the_market_is_as_usual() -> None:
    watch = VolumeWatch()

    told(watch, stream(120, lambda day, who: 0 if who == "b" and day >= 100 else A_DAY))

    (standing,) = watch.standing((FIRST_DAY + 119) * DAY_MS)
    assert standing.segment == "publisher=b kind=sale"


def test_a_market_that_is_off_takes_its_publishers_along() -> None:
    watch = VolumeWatch()

    told(watch, stream(120, lambda day, _: A_DAY if day < 100 else 1))

    assert [one.segment for one in watch.standing((FIRST_DAY + 119) * DAY_MS)] == ["kind=sale"]


@pytest.mark.parametrize(
    "count",
    [
        lambda day, _: A_DAY // 4 if day in range(500, 507) else A_DAY,
        lambda day, _: A_DAY - 5 if day >= 500 else A_DAY,
        lambda day, _: A_DAY // 3 if 250 <= day % YEAR < 300 else A_DAY,
    ],
    ids=["a week of holiday", "two fifths less", "a season, known from the year before"],
)
def test_what_is_usual_is_not_told(count: Callable[[int, str], int]) -> None:
    found = told(VolumeWatch(), stream(2 * YEAR, count))

    assert [one for one in found if day_of(one) > YEAR] == []


def test_it_is_over_when_two_weeks_are_as_usual_again() -> None:
    watch = VolumeWatch()

    told(watch, stream(200, lambda day, _: 2 if 100 <= day < 121 else A_DAY))

    assert watch.standing((FIRST_DAY + 120) * DAY_MS)
    assert watch.standing((FIRST_DAY + 135) * DAY_MS) == []
    assert watch.standing((FIRST_DAY + 199) * DAY_MS) == []


def test_a_standing_finding_is_told_as_of_the_time_asked_for() -> None:
    watch = VolumeWatch()

    (first, *_) = told(watch, stream(200, lambda day, _: 2 if 100 <= day < 121 else A_DAY))

    assert watch.standing(first.seen_ms - 1) == []
    assert watch.standing(first.seen_ms)


def test_a_feed_that_begins_may_grow() -> None:
    assert told(VolumeWatch(), stream(200, lambda day, _: day)) == []


def test_a_day_is_judged_when_what_comes_late_is_there() -> None:
    def late(day: int, who: str) -> int:
        return 0 if who == "c" else A_DAY

    on_time = stream(150, late)
    two_days_late = (
        Event("hdb", "c", event.at_ms - 2 * DAY_MS, event.fields)
        for event in stream(150, late, ("b",))
    )

    in_order = sorted(
        [*on_time, *two_days_late], key=lambda e: e.at_ms + 2 * DAY_MS * (e.publisher == "c")
    )
    assert told(VolumeWatch(), iter(in_order)) == []


def test_one_wrong_date_turns_no_day() -> None:
    watch = VolumeWatch()
    told(watch, stream(100, lambda _day, _: A_DAY))

    wrong = Event("hdb", "a", (FIRST_DAY + 160) * DAY_MS, {"kind": "sale"})

    assert watch.update(wrong) == []
    assert told(watch, stream(101, lambda day, _: A_DAY if day == 100 else 0)) == []


def test_few_events_are_no_news() -> None:
    assert told(VolumeWatch(), stream(120, lambda day, _: day < 100, ("a",))) == []


def test_who_invents_publishers_fills_no_memory() -> None:
    watch = VolumeWatch()
    names = tuple(f"p{number}" for number in range(SERIES_MAX + 5))

    told(watch, stream(6, lambda _day, _: 1, names))

    assert len(watch._series) == SERIES_MAX
