"""A sender refuses what the scorer would reject, and tells of every event it cannot deliver."""

import msgspec
import pytest

from producers.sender import UNCONFIRMED_MAX, Refused, Sender, Undelivered
from producers.settings import ProducerSettings
from stream_app.contract import wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.rejects import RejectCode
from stream_app.contract.settings import BadSettings, KafkaSettings
from tests import builders
from tests.unit.producers.fakes import FakeClient

KAFKA = KafkaSettings(prefix="test")


def sender(client: FakeClient) -> Sender:
    return Sender(KAFKA, client=client, now_ms=lambda: builders.SOLD_MS)


def test_an_event_goes_to_the_events_topic_under_its_region() -> None:
    client = FakeClient()
    event = builders.listing()

    with sender(client) as publisher:
        publisher.send(event)

    assert client.sent == [("test.events", b"kc-98178", wire.encode(event))]
    assert publisher.confirmed == 1
    assert client.closed_within_s is not None


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (builders.listing(area_m2=3.0), RejectCode.AREA),
        (builders.listing(bedrooms=33), RejectCode.ROOMS),
        (builders.sale(sale_price=0.0), RejectCode.PRICE),
        (builders.listing(market="atlantis"), RejectCode.MARKET),
        (builders.listing(event_time_ms=builders.SOLD_MS + builders.DAY_MS), RejectCode.FUTURE),
        (builders.listing(region=""), RejectCode.SCHEMA),
        (builders.listing(street="x" * 1_000), RejectCode.SCHEMA),
    ],
    ids=["area", "rooms", "price", "market", "future", "no region", "too long a text"],
)
def test_what_the_scorer_would_reject_is_refused_with_its_code(
    event: AnyEvent, code: RejectCode
) -> None:
    client = FakeClient()

    with sender(client) as publisher, pytest.raises(Refused) as told:
        publisher.send(event)

    assert told.value.code is code
    assert event.event_id in str(told.value)
    assert client.sent == []


def test_bytes_without_a_key_are_refused() -> None:
    with sender(FakeClient()) as publisher, pytest.raises(ValueError, match="'e-1' has no region"):
        publisher.send_raw("e-1", "", b"{}")


def test_an_event_that_is_not_delivered_is_named_at_the_end() -> None:
    def publish() -> None:
        with sender(FakeClient(fails_at=1)) as publisher:
            publisher.send(builders.listing())
            publisher.send(builders.sale())

    with pytest.raises(Undelivered, match=f"'{builders.sale().event_id}' was not .* test.events"):
        publish()


def test_an_event_that_is_not_delivered_is_told_while_others_are_sent() -> None:
    publisher = sender(FakeClient(fails_at=0))
    publisher.send(builders.listing())

    with pytest.raises(Undelivered):
        publisher.settle()
    assert publisher.confirmed == 0


def test_only_what_is_confirmed_without_a_gap_counts() -> None:
    client = FakeClient(confirms_at_once=False)
    publisher = sender(client)
    for n in range(3):
        publisher.send(builders.listing(listing_id=f"home-{n}"))

    client.deliveries[1].is_done = True
    publisher.settle()
    between = publisher.confirmed
    client.deliveries[0].is_done = True
    publisher.settle()

    assert (between, publisher.confirmed) == (0, 2)


def test_what_is_unconfirmed_is_bounded() -> None:
    publisher = sender(FakeClient(confirms_at_once=False))
    raw = builders.raw(builders.listing())

    for n in range(UNCONFIRMED_MAX + 5):
        publisher.send_raw(str(n), "kc-98178", raw)

    assert publisher.confirmed == 6


def test_a_failure_of_ones_own_does_not_wait_for_the_broker() -> None:
    client = FakeClient(confirms_at_once=False)

    def publish() -> None:
        with sender(client) as publisher:
            publisher.send(builders.listing())
            raise RuntimeError("my own")

    with pytest.raises(RuntimeError, match="my own"):
        publish()

    assert not client.deliveries[0].is_done
    assert client.closed_within_s == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"acks": "1"}, "HOUSING_PRODUCERS_ACKS: '1'"),
        ({"acks": "0"}, "HOUSING_PRODUCERS_ACKS: '0'"),
        ({"idempotence": False}, "HOUSING_PRODUCERS_IDEMPOTENCE"),
    ],
    ids=["acks 1", "acks 0", "not idempotent"],
)
def test_unsafe_settings_are_refused(change: dict[str, object], told: str) -> None:
    unsafe = msgspec.structs.replace(ProducerSettings(), **change)

    with pytest.raises(BadSettings, match=told):
        Sender(KAFKA, unsafe, client=FakeClient())


def test_all_unsafe_settings_are_told_at_once() -> None:
    unsafe = ProducerSettings(acks="0", idempotence=False)

    with pytest.raises(BadSettings) as told:
        Sender(KAFKA, unsafe, client=FakeClient())

    assert len(str(told.value).splitlines()) == 2
