from collections import Counter

import pytest

from bench import load
from bench.load import Message
from stream_app.contract import rules, wire
from stream_app.contract.events import AnyEvent, Listing
from stream_app.contract.wire import Decoded


@pytest.fixture(scope="module")
def events() -> list[AnyEvent]:
    return load.real_events()[:4_000]


def decoded(messages: list[Message]) -> list[AnyEvent]:
    found = [wire.decode_event(message.value) for message in messages]
    return [each.event for each in found if isinstance(each, Decoded)]


def test_every_event_of_every_telling_is_believable(events: list[AnyEvent]) -> None:
    told = decoded(list(load.told(events[:500], 3)))

    assert len(told) == 1_500
    assert not any(map(rules.violation, [*told, *load.real_events()]))


def test_no_event_is_told_twice(events: list[AnyEvent]) -> None:
    told = decoded(list(load.told(events[:500], 3)))

    assert len({event.event_id for event in told}) == len(told)


def test_time_goes_on_from_one_telling_to_the_next() -> None:
    events = load.real_events()

    assert events[-1].event_time_ms < events[0].event_time_ms + load.TELLING_MS


def test_listings_and_sales_come_mixed_from_the_start(events: list[AnyEvent]) -> None:
    listings = sum(isinstance(event, Listing) for event in events[:1_000])

    assert 300 < listings < 700


def test_half_of_the_homes_can_be_put_into_one_region(events: list[AnyEvent]) -> None:
    told = decoded(list(load.told(events, 1, load.crowded(0.5))))
    ((_, most),) = Counter(event.region for event in told).most_common(1)

    assert 0.45 < most / len(told) < 0.55


def test_a_home_is_sold_where_it_was_listed(events: list[AnyEvent]) -> None:
    told = decoded(list(load.told(events, 1, load.spread(100))))
    places: dict[str, set[str]] = {}
    for event in told:
        places.setdefault(event.listing_id, set()).add(event.region)

    assert all(len(regions) == 1 for regions in places.values())


def test_homes_are_spread_over_as_many_regions_as_asked_for(events: list[AnyEvent]) -> None:
    told = decoded(list(load.told(events, 1, load.spread(100))))

    assert len({event.region for event in told}) == 100
