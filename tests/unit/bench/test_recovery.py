from bench import recovery
from stream_app.contract import wire
from stream_app.contract.events import AnyEvent, Listing
from stream_app.contract.wire import Decoded
from tests import builders


def test_open_listings_are_as_many_homes_as_asked_for_and_none_is_sold() -> None:
    homes = (builders.listing(listing_id=name) for name in "ab")
    events: list[AnyEvent] = [*homes, builders.sale()]

    found = [wire.decode_event(each.value) for each in recovery.open_listings(events, homes=5)]

    told = [each.event for each in found if isinstance(each, Decoded)]
    assert all(isinstance(event, Listing) for event in told)
    assert len({event.listing_id for event in told}) == len({event.event_id for event in told}) == 5
