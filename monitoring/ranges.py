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
from monitoring.heads import head_of
from monitoring.tables import Layout, Taken, message_table, raw_table
from stream_app.contract.archive import (
    ALL_MARKETS,
    UNKNOWN_MARKET,
    UNREADABLE,
    ArchiveFile,
    ArchiveManifest,
)
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
            yield _as_it_came(layout, record)
        else:
            when_ms = getattr(message, layout.time_column)
            yield _Row(record, message, _folder(message.market), when_ms)


def _as_it_came(layout: Layout[Any], record: Taken) -> _Row:
    if layout.decode is not None:
        return _Row(record, None, UNREADABLE, record.appended_ms)
    if not layout.names_market:
        return _Row(record, None, ALL_MARKETS, record.appended_ms)
    head = head_of(record.value)
    when_ms = record.appended_ms if head.event_time_ms is None else head.event_time_ms
    return _Row(record, None, _folder(head.market), when_ms)


def _folder(market: str | None) -> str:
    """Name the folder of a market: only names that we know become one."""
    if market is None:
        return UNREADABLE
    return market if market in MARKETS else UNKNOWN_MARKET


def _decode(layout: Layout[Any], value: bytes | None) -> Any:  # noqa: ANN401 - of the layout
    if layout.decode is None or value is None:
        return None
    try:
        return layout.decode(value)
    except msgspec.MsgspecError:
        return None


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
