"""What a consumer of all topics would read after the real scorer took some events in."""

from collections.abc import Sequence
from typing import NamedTuple

from demo.watch import WATCHED, Received
from stream_app.contract import topics
from stream_app.contract.ids import partition_of
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Record
from tests import builders

APPENDED_MS = builders.SOLD_MS + 100 * builders.DAY_MS
RECEIVED_MS = APPENDED_MS + 40.0
PARTITIONS = 4
PARTITION = partition_of(builders.REGION.encode(), PARTITIONS)


def some_of_everything() -> list[bytes]:
    """Listings sold, withdrawn, amended and sent twice; an orphan; two kinds of rejects."""
    other, withdrawn = {"listing_id": "kc-2"}, {"listing_id": "kc-3"}
    events = [
        builders.listing(),
        builders.listing(**other),
        builders.listing(),
        builders.listing(**withdrawn),
        builders.listing(revision=1, asking_price=230_000.0),
        builders.withdrawal(**withdrawn),
        builders.sale(),
        builders.sale(),
        builders.sale(**other),
        builders.correction(),
        builders.sale(listing_id="kc-never-listed"),
        builders.listing(listing_id="kc-4", area_m2=-1.0),
    ]
    return [*map(builders.raw, events), b"no JSON"]


def received(raws: Sequence[bytes]) -> list[Received]:
    """All records of all topics, the events first; each topic's offsets start at 0."""
    key = builders.REGION.encode()
    records = [Record(at, key, raw, APPENDED_MS) for at, raw in enumerate(raws)]
    batch = Batch("housing.events", "an-id", PARTITION, PARTITIONS, records)
    step = scorer.advance(batch, {}, {})
    written = [_Written(topics.EVENTS, record.key, record.value, {}) for record in records]
    written += [_Written(o.topic, o.key, o.value, dict(o.headers)) for o in step.outputs]
    written += [_Written(topics.STATE, k.encode(), v, {}) for k, v in step.state.items()]
    offsets = {topic.name: iter(range(1_000)) for topic in WATCHED}
    return [
        Received(
            one.topic,
            PARTITION,
            next(offsets[one.topic.name]),
            APPENDED_MS,
            RECEIVED_MS,
            one.key,
            one.value,
            one.headers,
        )
        for one in written
    ]


class _Written(NamedTuple):
    topic: topics.Topic
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]
