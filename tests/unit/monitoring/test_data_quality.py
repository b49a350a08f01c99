"""Events are right, whole, consistent, once and in time, or it is told which they are not."""

from collections.abc import Sequence

import pytest

from monitoring import data_quality
from monitoring.data_quality import DataQuality, Window
from stream_app.contract import wire
from stream_app.contract.events import AnyEvent, kind_of
from stream_app.contract.spans import DAY_MS
from tests import builders

SEED = 7


def window(events: Sequence[AnyEvent], share: float = 1.0) -> Window:
    gathered = Window(share, SEED)
    for e in events:
        gathered.add(0, kind_of(e), e.listing_id, e.event_time_ms, wire.encode(e))
    return gathered


def homes(count: int, **changes: object) -> list[AnyEvent]:
    return [
        builders.listing(
            event_id=f"listed-{n}",
            listing_id=f"home-{n}",
            event_time_ms=n * 60_000 + 1_400_000_000_000,
            **changes,
        )
        for n in range(count)
    ]


GOOD = homes(100)


def judged(events: Sequence[AnyEvent]) -> DataQuality:
    return data_quality.judge(window(GOOD), window(events))


def shares(found: DataQuality) -> dict[str, float | None]:
    return {name: each.share for name, each in found.dimensions.items()}


def told(events: Sequence[AnyEvent]) -> tuple[str, ...]:
    return data_quality.findings(judged(events), unknown_max=0.05, rows_min=50)


def test_good_events_are_all_that_they_should_be() -> None:
    found = judged(GOOD)

    assert shares(found) == dict.fromkeys(shares(found), 1.0)
    assert list(shares(found)) == [
        "accuracy",
        "completeness",
        "consistency",
        "uniqueness",
        "timeliness",
    ]
    assert told(GOOD) == ()


def test_a_value_that_nobody_believes_is_not_accurate() -> None:
    wrong = homes(10, area_m2=1.0) + GOOD[10:]

    assert judged(wrong).dimensions["accuracy"].share == 0.9
    assert told(wrong) == ("accuracy: 90.0% of 100",)


def test_a_field_that_goes_missing_is_told_above_five_percent() -> None:
    gaps = homes(6, bedrooms=None) + GOOD[6:]

    assert told(gaps) == ("bedrooms: unknown in 6.0% of listings, 0.0% before",)
    assert told(homes(5, bedrooms=None) + GOOD[5:]) == ()


def test_a_field_that_the_market_never_had_is_no_gap() -> None:
    assert "model" not in {field.field for field in judged(homes(100, model=None)).fields}


@pytest.mark.parametrize(
    "second",
    [
        builders.sale(listing_id="home-0", event_time_ms=1),
        builders.listing(listing_id="home-0", region="kc-98001", revision=1),
        builders.listing(listing_id="home-0", event_id="another", area_m2=99.0),
    ],
    ids=["sold before it was listed", "in two regions", "two things of one revision"],
)
def test_events_of_a_listing_that_contradict_each_other_are_found(second: AnyEvent) -> None:
    first = builders.listing(listing_id="home-0", event_id="listed-0")

    assert data_quality.contradicts([first, second])
    assert data_quality.contradicts([second, first])


def test_a_listing_that_is_amended_and_sold_is_consistent() -> None:
    first = builders.listing(listing_id="home-0", event_time_ms=1, event_id="a")
    amended = builders.listing(listing_id="home-0", event_time_ms=2, event_id="b", revision=1)
    sold = builders.sale(listing_id="home-0", event_time_ms=3, event_id="c")

    assert not data_quality.contradicts([first, amended, sold, first])


def test_an_event_that_is_sent_again_is_not_unique() -> None:
    assert judged([*GOOD, *GOOD[:25]]).dimensions["uniqueness"].share == 0.8


def test_an_event_a_day_behind_its_partition_is_late_and_a_wrong_clock_is_not_the_time() -> None:
    start_ms = GOOD[0].event_time_ms
    late = builders.listing(event_time_ms=start_ms - 2 * DAY_MS)
    ahead = builders.listing(event_time_ms=start_ms + 90 * DAY_MS)

    found = judged([GOOD[0], late, ahead, *GOOD[1:]]).dimensions["timeliness"]

    assert found.n == 102
    assert found.share == pytest.approx(101 / 102)


def test_bytes_that_are_no_event_are_counted_and_not_accurate() -> None:
    gathered = window(GOOD)
    gathered.add(0, None, None, None, b"?")

    found = data_quality.judge(window(GOOD), gathered)

    assert found.kinds == {"listing": 100, "unreadable": 1}
    assert found.dimensions["accuracy"].share == pytest.approx(100 / 101)


def test_all_events_of_a_chosen_listing_are_looked_into() -> None:
    events = homes(2_000)
    gathered = window([*events, *events], share=0.1)

    assert 100 < len(gathered.listings) < 300
    assert {len(many) for many in gathered.listings.values()} == {2}


def test_few_events_are_told_and_not_judged() -> None:
    assert told(GOOD[:9]) == ("current window: 9 events, 50 needed to judge the data",)
    assert judged([]).dimensions["accuracy"].share is None
