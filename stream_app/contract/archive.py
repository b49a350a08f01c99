"""Files of the archive: which Parquet files hold which offsets of a topic.

    <archive>/<topic>/<topic id>/<day>/<market>/<partition>-<first offset>-<token>.parquet
    <archive>/manifests/<topic>/<topic id>/<partition>-<first offset>.json

Only files named in a manifest are part of the archive. The manifests of one
partition of one topic id are a chain without holes or overlaps: each range
begins where the one before ends, the first at 0. `day` is the day (UTC) that
the broker took the record, so that old days can be dropped whole; the event
times inside a file are in its manifest.

Two layouts. `message`: partition, offset, appended_ms, latency_ms (of the header of that name;
files of before lack it), then a column per field of the message, nested ones joined by `_`. `raw`: RAW_COLUMNS, the record as the broker gave it.
Events and rejects are raw, in the folder of the market that their bytes name: so a
range's records, put in the order of their offsets from all its files, are the log again.

A manifest is replaced, atomically and under the same name and range, in two cases only:
an erasure took rows out of its files, or a clean-up dropped whole days. Then it says so
(`erased`, `gone`), and its `files` are what is left.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

ARCHIVE_VERSION = 1

# The folder of the manifests.
MANIFESTS = "manifests"
# `headers` is a list of (name: text, value: bytes); files of before it was kept lack it.
RAW_COLUMNS = ("partition", "offset", "appended_ms", "key", "value", "headers")

# The folder of topics whose records are kept as they came, of whatever market.
ALL_MARKETS = "all"
# A record that is no message of this contract (a tombstone, or bytes that cannot
# be read) is kept as it came, under this market.
UNREADABLE = "unreadable"
# A record that names a market which is none of ours: a folder is named by us alone.
UNKNOWN_MARKET = "unknown"


class ArchiveFile(Struct, frozen=True, kw_only=True):
    """One Parquet file of one range."""

    path: Annotated[str, Meta(description="below the archive's folder, parted by /")]
    layout: Annotated[
        Literal["message", "raw"], Meta(description="a column per field, or key and value as bytes")
    ]
    market: str
    rows: int
    size_bytes: int
    sha256: str
    event_from_ms: Annotated[int, Meta(description="earliest event time in it")]
    event_to_ms: Annotated[int, Meta(description="latest event time in it")]


class GoneFile(Struct, frozen=True, kw_only=True):
    """A file that was part of the range, and is no more."""

    path: Annotated[str, Meta(description="where it was, below the archive's folder")]
    rows: int
    why: Annotated[
        Literal["erased", "pruned"],
        Meta(description="another file took its place without the erased rows, or its day was old"),
    ]
    gone_ms: int


class ArchiveManifest(Struct, frozen=True, kw_only=True):
    """One range of one partition, published at once or not at all.

    Offsets are positions: transaction markers and aborted records take some
    too, so `rows` may be less than their difference.
    """

    topic: Annotated[str, Meta(description="full name")]
    topic_id: Annotated[str, Meta(description="another one when the topic was recreated")]
    partition: int
    first_offset: Annotated[int, Meta(description="position before the first record")]
    next_offset: Annotated[int, Meta(description="position after the last record")]
    lost_to_offset: Annotated[
        int,
        Meta(description="records from first_offset up to this one had been deleted unread"),
    ]
    rows: Annotated[int, Meta(description="in its files")]
    files: tuple[ArchiveFile, ...]
    made_ms: int
    erased: Annotated[
        tuple[int, ...], Meta(description="offsets of records that an erasure took out")
    ] = ()
    gone: Annotated[tuple[GoneFile, ...], Meta(description="files that it had")] = ()
    archive_version: Literal[1] = 1


def manifest_name(partition: int, first_offset: int) -> str:
    """Name the manifest of a range; there can be only one that begins there.

    >>> manifest_name(3, 1234)
    '00003-00000000000000001234.json'
    """
    return f"{partition:05d}-{first_offset:020d}.json"
