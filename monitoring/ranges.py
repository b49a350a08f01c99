"""Records of one offset range -> compressed Parquet files and their manifest. No I/O.

One file per day, market and layout, so that a reader of one market, and a clean-up
of old days, need not open the others. Rows of a listing that was erased are left out,
and their offsets are told; an erasure itself is kept: it holds the id alone.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.chain import Source
from monitoring.heads import head_of
from monitoring.tables import Layout, Taken, message_table, raw_records, raw_table
from stream_app.contract.archive import (
    ALL_MARKETS,
    UNKNOWN_MARKET,
    UNREADABLE,
    ArchiveFile,
    ArchiveManifest,
    GoneFile,
)
from stream_app.contract.events import Erasure, kind_of_type
from stream_app.contract.markets import MARKETS

ERASURE = kind_of_type(Erasure)
NOBODY: AbstractSet[str] = frozenset()


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
    listing_id: str | None  # None: of no listing, or the bytes do not say


def encode_range(
    layout: Layout[Any],
    source: Source,
    span: Span,
    records: Sequence[Taken],
    token: str,
    now_ms: int,
    erased: AbstractSet[str] = NOBODY,
) -> Encoded:
    """Make the files of a range; `token` makes their names unique to this attempt."""
    parts: defaultdict[tuple[str, str, bool], list[_Row]] = defaultdict(list)
    gone: list[int] = []
    for row in _read(layout, records):
        if row.listing_id in erased:
            gone.append(row.record.offset)
        else:
            parts[_day(row.record), row.market, row.message is None].append(row)
    files: list[ArchiveFile] = []
    contents: dict[str, bytes] = {}
    for number, ((day, market, is_raw), rows) in enumerate(sorted(parts.items())):
        name = _file_name(source.partition, span.first_offset, token, number)
        path = str(PurePosixPath(source.topic, source.topic_id, day, market, name))
        contents[path] = _parquet(_table(layout, rows, is_raw))
        kind: Literal["message", "raw"] = "raw" if is_raw else "message"
        files.append(
            _described(path, kind, market, [r.event_time_ms for r in rows], contents[path])
        )
    manifest = ArchiveManifest(
        **source._asdict(),
        **span._asdict(),
        rows=len(records) - len(gone),
        files=tuple(files),
        made_ms=now_ms,
        erased=tuple(gone),
    )
    return Encoded(manifest, contents)


def without(
    layout: Layout[Any],
    manifest: ArchiveManifest,
    read: Callable[[str], pa.Table],
    erased: AbstractSet[str],
    token: str,
    now_ms: int,
) -> Encoded | None:
    """Make what takes a range's place when listings are erased; None: it holds nothing of them.

    `read` gives the table at a path.
    """
    files: list[ArchiveFile] = []
    gone: list[GoneFile] = []
    offsets: list[int] = []
    contents: dict[str, bytes] = {}
    for number, file in enumerate(manifest.files):
        table = read(file.path)
        keep, times = _kept(layout, file, table, erased)
        if all(keep):
            files.append(file)
            continue
        gone.append(GoneFile(path=file.path, rows=file.rows, why="erased", gone_ms=now_ms))
        offsets += [
            o for o, stays in zip(table["offset"].to_pylist(), keep, strict=True) if not stays
        ]
        if times:
            name = _file_name(manifest.partition, manifest.first_offset, token, number)
            path = str(PurePosixPath(file.path).with_name(name))
            contents[path] = _parquet(table.filter(pa.array(keep)))
            files.append(_described(path, file.layout, file.market, times, contents[path]))
    if not gone:
        return None
    changed = msgspec.structs.replace(
        manifest,
        rows=sum(file.rows for file in files),
        files=tuple(files),
        erased=tuple(sorted((*manifest.erased, *offsets))),
        gone=(*manifest.gone, *gone),
    )
    return Encoded(changed, contents)


def _kept(
    layout: Layout[Any], file: ArchiveFile, table: pa.Table, erased: AbstractSet[str]
) -> tuple[list[bool], list[int]]:
    """Tell of each row whether it stays, and the event times of those that do."""
    if file.layout == "raw":
        came = [_as_it_came(layout, record) for record in raw_records(table)]
        told = [(row.listing_id, row.event_time_ms) for row in came]
    else:
        columns = (table[name].to_pylist() for name in ("listing_id", layout.time_column))
        told = list(zip(*columns, strict=True))
    keep = [listing_id not in erased for listing_id, _ in told]
    return keep, [time_ms for listing_id, time_ms in told if listing_id not in erased]


def _read(layout: Layout[Any], records: Iterable[Taken]) -> Iterable[_Row]:
    for record in records:
        message = _decode(layout, record.value)
        if message is None:
            yield _as_it_came(layout, record)
        else:
            when_ms = getattr(message, layout.time_column)
            yield _Row(record, message, _folder(message.market), when_ms, message.listing_id)


def _as_it_came(layout: Layout[Any], record: Taken) -> _Row:
    head = head_of(record.value)
    listing_id = None if head.kind == ERASURE else head.listing_id
    if layout.key_is_listing and record.key is not None:
        listing_id = record.key.decode("utf-8", "replace")
    market, when_ms = _folder(head.market), head.event_time_ms
    if layout.decode is not None:
        market, when_ms = UNREADABLE, None
    elif not layout.names_market:
        market, when_ms = ALL_MARKETS, None
    at_ms = record.appended_ms if when_ms is None else when_ms
    return _Row(record, None, market, at_ms, listing_id)


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


def _file_name(partition: int, first_offset: int, token: str, number: int) -> str:
    return f"{partition:05d}-{first_offset:020d}-{token}-{number}.parquet"


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


def _described(
    path: str,
    layout: Literal["message", "raw"],
    market: str,
    event_times_ms: Sequence[int],
    content: bytes,
) -> ArchiveFile:
    return ArchiveFile(
        path=path,
        layout=layout,
        market=market,
        rows=len(event_times_ms),
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        event_from_ms=min(event_times_ms),
        event_to_ms=max(event_times_ms),
    )
