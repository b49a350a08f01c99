"""From a record to a believable event, or to the reason why not.

What one event says by itself is judged by contract/rules.py; here it is held
against its record: key, partition and the time the broker took it.
"""

import hashlib
from functools import lru_cache

from stream_app.contract import rules, topics, wire
from stream_app.contract.ids import partition_of
from stream_app.contract.rejects import RejectCode, Rejected, RejectHeaders
from stream_app.contract.wire import Decoded
from stream_app.stages.step import Batch, Output, Record

# What a record repeats of its event is bounded, or it would not fit its topic and the
# partition would stop: a publisher's name and a region are 64 letters of up to 4 bytes.
PUBLISHER_LENGTH = 64
KEY_BYTES = 256


def read(record: Record, batch: Batch) -> Decoded | Rejected:
    """Decode a record of `housing.events` and say whether to believe it."""
    raw = record.value or b""
    decoded = wire.decode_event(raw)
    if isinstance(decoded, Rejected):
        return decoded
    broken = _against_record(decoded, record, batch) or rules.violation(decoded.event)
    return decoded if broken is None else Rejected(*broken, raw)


def publisher_of(rejected: Rejected) -> str:
    """Who sent it, as far as the bytes tell."""
    return wire.publisher_of(rejected.raw)[:PUBLISHER_LENGTH]


def reject(rejected: Rejected, publisher: str, record: Record, batch: Batch) -> Output:
    """The record for `housing.rejects`: original bytes, and the reason in the headers."""
    raw = rejected.raw
    headers = RejectHeaders(
        code=rejected.code,
        detail=rejected.detail,
        source_topic=batch.topic,
        source_partition=str(batch.partition),
        source_offset=str(record.offset),
        publisher=publisher,
        size=str(len(raw)),
        sha256=hashlib.sha256(raw).hexdigest(),
    )
    return Output(
        topics.REJECTS,
        key=record.key and record.key[:KEY_BYTES],
        value=raw if len(raw) <= topics.EVENT_BYTES_MAX else b"",
        partition=batch.partition,
        headers=tuple(
            (name, getattr(headers, name).encode("utf-8", "replace"))
            for name in headers.__struct_fields__
        ),
        cause_ms=record.append_time_ms,
    )


def _against_record(
    decoded: Decoded, record: Record, batch: Batch
) -> tuple[RejectCode, str] | None:
    event, key = decoded.event, record.key or b""
    if key != event.region.encode("utf-8", "replace"):
        return RejectCode.KEY, f"key {key[:64]!r} is not the region {event.region!r}"
    home = _home(key, batch.partitions)
    if home != batch.partition:
        return (
            RejectCode.PARTITION,
            f"partition {batch.partition}, but murmur2 of {event.region!r} says {home}",
        )
    return rules.from_future(event, record.append_time_ms)


@lru_cache(maxsize=65_536)  # regions; a hash of one costs as much as decoding its event
def _home(key: bytes, partitions: int) -> int:
    return partition_of(key, partitions)
