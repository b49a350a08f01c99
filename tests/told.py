"""Events as partitions of a topic, and as an archive of them, without a broker."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring import chain
from monitoring.chain import Source
from monitoring.ranges import Span, encode_range
from monitoring.tables import LAYOUTS, Taken
from offline.log import Line, Partition, head_of
from stream_app.contract import wire
from stream_app.contract.archive import ArchiveFile, ArchiveManifest, manifest_name
from stream_app.contract.events import AnyEvent
from stream_app.contract.ids import partition_of
from stream_app.contract.topics import EVENTS, PREDICTIONS, Topic, full_name
from stream_app.stages.step import Record, Step
from tests import builders

PREFIX = "housing"
TOPIC_ID = "t-1"


@dataclass(frozen=True)
class Records:
    """Lines that another process can read, too."""

    records: tuple[Record, ...]

    def __iter__(self) -> Iterator[Line]:
        return (Line(record, head_of(record.value)) for record in self.records)


def dealt(events: Sequence[AnyEvent], partitions: int) -> list[tuple[Record, ...]]:
    """Records of each partition, as the broker deals them by their region."""
    found: list[list[Record]] = [[] for _ in range(partitions)]
    for event in events:
        mine = found[partition_of(event.region.encode(), partitions)]
        at_ms = event.event_time_ms
        mine.append(Record(len(mine), event.region.encode(), builders.raw(event), at_ms))
    return [tuple(records) for records in found]


def parted(events: Sequence[AnyEvent], partitions: int) -> list[Partition]:
    """A topic of so many partitions."""
    topic = full_name(PREFIX, EVENTS)
    return [
        Partition(topic, number, partitions, Records(records), TOPIC_ID)
        for number, records in enumerate(dealt(events, partitions))
    ]


def archive(
    root: Path, topic: Topic, partition: int, records: Sequence[Record], size: int = 300
) -> None:
    """Put a partition into an archive in ranges of `size` records, each in two raw files."""
    for begin in range(0, len(records), size):
        piece = records[begin : begin + size]
        place = f"{full_name(PREFIX, topic)}/{TOPIC_ID}"
        files = [
            _file(root, f"{place}/2026-01-0{n + 1}/all/{partition}-{begin}.parquet", half)
            for n, half in enumerate((piece[1::2], piece[::2]))
            if half
        ]
        manifest = ArchiveManifest(
            topic=full_name(PREFIX, topic),
            topic_id=TOPIC_ID,
            partition=partition,
            first_offset=begin,
            next_offset=begin + len(piece),
            lost_to_offset=begin,
            rows=len(piece),
            files=tuple(files),
            made_ms=0,
        )
        _write(root / "manifests" / place / manifest_name(partition, begin), wire.encode(manifest))


def archive_served(root: Path, partition: int, done: Step) -> None:
    """Put a step's predictions into an archive, a column per field as monitoring does."""
    values = [o.value for o in done.outputs if o.topic is PREDICTIONS and o.value is not None]
    source = Source(full_name(PREFIX, PREDICTIONS), TOPIC_ID, partition)
    layout = next(layout for layout in LAYOUTS if layout.topic is PREDICTIONS)
    records = [Taken(partition, n, 0, b"key", value) for n, value in enumerate(values)]
    span = Span(0, len(values), 0)
    chain.publish(root, *encode_range(layout, source, span, records, "t", 0), "t")


def _file(root: Path, path: str, records: Sequence[Record]) -> ArchiveFile:
    made = io.BytesIO()
    offsets, keys, values, times = zip(*records, strict=True)
    table = {"partition": [0] * len(records), "offset": offsets, "appended_ms": times}
    pq.write_table(pa.table({**table, "key": keys, "value": values}), made)
    content = made.getvalue()
    _write(root / path, content)
    return ArchiveFile(
        path=path,
        layout="raw",
        market="all",
        rows=len(records),
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        event_from_ms=0,
        event_to_ms=0,
    )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
