"""Records of one offset range -> compressed Parquet files and their manifest. No I/O.

One file per day, market and layout, so that a reader of one market, and a clean-up
of old days, need not open the others.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.chain import Source
from monitoring.tables import Layout, Taken, message_table, raw_table
from stream_app.contract.archive import ALL_MARKETS, UNREADABLE, ArchiveFile, ArchiveManifest
from stream_app.contract.markets import MARKETS


class Span(NamedTuple):
    """Positions of a range. Markers and aborted records take offsets too."""

    first_offset: int
    next_offset: int
    lost_to_offset: int


class Encoded(NamedTuple):
    manifest: ArchiveManifest
    contents: dict[str, bytes]  # path -> Parquet


class _Row(NamedTuple):
    record: Taken
    message: object | None  # None: kept as it came
    market: str
    event_time_ms: int


def encode_range(
    layout: Layout[Any],
    source: Source,
    span: Span,
    records: Sequence[Taken],
    token: str,
    now_ms: int,
) -> Encoded:
    """Make the files of a range; `token` makes their names unique to this attempt."""
    parts: defaultdict[tuple[str, str, bool], list[_Row]] = defaultdict(list)
    for row in _read(layout, records):
        parts[_day(row.record), row.market, row.message is None].append(row)
    files: list[ArchiveFile] = []
    contents: dict[str, bytes] = {}
    for number, ((day, market, is_raw), rows) in enumerate(sorted(parts.items())):
        name = f"{source.partition:05d}-{span.first_offset:020d}-{token}-{number}.parquet"
        path = str(PurePosixPath(source.topic, source.topic_id, day, market, name))
        contents[path] = _parquet(_table(layout, rows, is_raw))
        files.append(_describe(path, rows, contents[path], "raw" if is_raw else "message"))
    manifest = ArchiveManifest(
        **source._asdict(),
        **span._asdict(),
        rows=len(records),
        files=tuple(files),
        made_ms=now_ms,
    )
    return Encoded(manifest, contents)


def _read(layout: Layout[Any], records: Iterable[Taken]) -> Iterable[_Row]:
    for record in records:
        message = _decode(layout, record.value)
        if message is None:
            market = UNREADABLE if layout.decode else ALL_MARKETS
            yield _Row(record, None, market, record.appended_ms)
        else:
            market = layout.market(message) if layout.market else UNREADABLE
            when_ms = layout.event_time_ms(message) if layout.event_time_ms else 0
            # The name becomes a folder: only those we know.
            yield _Row(record, message, market if market in MARKETS else "unknown", when_ms)


def _decode(layout: Layout[Any], value: bytes | None) -> object | None:
    if layout.decode is None or value is None:
        return None
    try:
        message: object = layout.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return message


def _day(record: Taken) -> str:
    return datetime.fromtimestamp(record.appended_ms / 1000, UTC).date().isoformat()


def _table(layout: Layout[Any], rows: Sequence[_Row], is_raw: bool) -> pa.Table:
    records = [row.record for row in rows]
    if is_raw:
        return raw_table(records)
    return message_table(layout, records, [row.message for row in rows])


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _describe(
    path: str, rows: Sequence[_Row], content: bytes, layout: Literal["message", "raw"]
) -> ArchiveFile:
    return ArchiveFile(
        path=path,
        layout=layout,
        market=rows[0].market,
        rows=len(rows),
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        event_from_ms=min(row.event_time_ms for row in rows),
        event_to_ms=max(row.event_time_ms for row in rows),
    )
