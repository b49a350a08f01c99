"""The events that every contestant is given: King County's sales and their listings, in order of time.

The market's year is told again and again, later each time and under other ids, until
the log is long enough for the fastest. Believable to every rule: homes, prices and regions are
those of the file.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from confluent_kafka import Producer
from msgspec.structs import replace

from producers import sources
from stream_app.contract import wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.rules import violation
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import PARTITIONER

MARKET = "king-county"
# From the day of the first sale on: before it, listings alone would come for half a year, and a
# slow peer would see nothing else. The last sale is 390 days later: tellings do not overlap.
FIRST_SALE_MS = 1_398_988_800_000  # 2014-05-02
TELLING_MS = 392 * DAY_MS
_SEED = 1  # of the simulated listing dates
_IN_FLIGHT = 50_000  # messages; librdkafka refuses more than 100,000


RegionOf = Callable[[AnyEvent], str]


class Message(NamedTuple):
    key: bytes
    value: bytes


def told(
    events: Sequence[AnyEvent], tellings: int, region_of: RegionOf = attrgetter("region")
) -> Iterator[Message]:
    """The messages of all tellings; `region_of` says where the homes lie, by their listing."""
    for number in range(tellings):
        for event in events:
            moved = _moved(event, number, region_of(event))
            yield Message(moved.region.encode(), wire.encode(moved))


def crowded(share: float) -> RegionOf:
    """So many of all homes in one region, the others where they are."""
    return lambda event: "kc-98103" if _drawn(event) < share else event.region


def spread(regions: int) -> RegionOf:
    """All homes over so many regions."""
    return lambda event: f"kc-{int(_drawn(event) * regions)}"


def _drawn(event: AnyEvent) -> float:
    """A number of the listing, from 0 to 1, the same for all of its events."""
    return zlib.crc32(event.listing_id.encode()) / 2**32


def real_events() -> list[AnyEvent]:
    """The file that the repository carries, as `python -m producers replay` would send it.

    But for what a scorer refuses: the listing of a home with 33 bedrooms. Nobody answers it, and
    whoever waits for the answer would take it for one that does not come.
    """
    told = sources.read(MARKET, sources.default_paths(MARKET), _SEED)
    return [
        event for event in told if event.event_time_ms >= FIRST_SALE_MS and not violation(event)
    ]


def publish(brokers: str, topic: str, messages: Sequence[Message]) -> None:
    """Send all as any publisher would, and wait until they are in the log.

    Raises
    ------
    TimeoutError : the broker did not take them
    """
    producer = Producer(
        {"bootstrap.servers": brokers, "partitioner": PARTITIONER, "linger.ms": 20, "acks": "all"}
    )
    for message in messages:
        producer.produce(topic, key=message.key, value=message.value)
        while len(producer) > _IN_FLIGHT:
            producer.poll(0.05)
    if producer.flush(60) > 0:
        raise TimeoutError(f"{len(producer)} events for {topic} were not taken within 60 s")


def _moved(event: AnyEvent, number: int, region: str) -> AnyEvent:
    return replace(
        event,
        event_id=f"{event.event_id}-{number}",
        listing_id=f"{event.listing_id}-{number}",
        event_time_ms=event.event_time_ms + number * TELLING_MS,
        region=region,
    )
