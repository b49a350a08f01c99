"""A data set as it was, on disk: fixed, known by the hash of its content, and checked when read.

    <folder>/<purpose>_<version>_<time>/part-00000.parquet ...   rows in the order of the sales
                                        snapshot.json            what they are, and whence

`version` are the first digits of the content's hash: market, features, rows, labels, times and
names, but no places in the log. So the same rows are the same version however the log was cut
into partitions and whichever process replayed it. `time` is the date before which they were sold,
no clock. A snapshot appears at once or not at all, and is never written again.
"""

import hashlib
import io
import platform
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct
from numpy.typing import NDArray

from offline import dataset
from offline.accounts import Dropped, account
from offline.collector import NUMBERS, TEXTS, Read
from offline.dataset import Dataset
from offline.faults import WrongInput
from stream_app.contract.markets import MARKETS
from stream_app.core.features import FEATURE_SET, FEATURES, NAMES

DESCRIPTION = "snapshot.json"
MAKING = ".making-"  # begins the name of a folder that is not whole yet
PART_ROWS = 50_000
PLACES = ("partition", "listing_offset", "sale_offset")  # not of the content
_CONTENT = tuple(name for name in (*NUMBERS, *TEXTS) if name not in PLACES)
_VERSION_DIGITS = 12
_LIBRARIES = ("housing-stream", "msgspec", "numpy", "pyarrow")

Columns = dict[str, NDArray[Any]]


class SnapshotRefused(WrongInput):
    """No snapshot, one that is not what it says, or one that this program cannot use."""


class Column(Struct, frozen=True):
    """One column. Null is unknown."""

    name: str
    dtype: str
    unit: str


class Part(Struct, frozen=True):
    """One file of rows."""

    file: str
    rows: int
    size_bytes: int
    sha256: str


class Origin(Struct, frozen=True):
    """The log that was replayed."""

    kind: Literal["topic", "archive", "file", "source"]
    name: str  # of the topic in full, the file, or the source
    topic_id: str | None = None
    files: dict[str, str] = {}  # name -> sha256, of those that were named


class Request(Struct, frozen=True):
    """What was asked for."""

    purpose: str
    before_ms: int
    origin: Origin
    made_by: str  # the command
    without_sources: tuple[str, ...] = ()


class Told(Struct, frozen=True):
    """What one source reported: one that is far from the others may be left out."""

    rows: int
    shift_log: float | None  # median of log price less the region's; None: no region had sales


class Snapshot(Struct, frozen=True):
    """`snapshot.json`."""

    market: str
    request: Request
    content_sha256: str
    data_sha256: str  # as the manifest of a model trained on it has it
    feature_set: str
    rows: int
    columns: tuple[Column, ...]
    parts: tuple[Part, ...]
    read: tuple[Read, ...]  # by partition: offsets, records, policies
    events: dict[str, int]  # by "kind:verdict"
    accounts: tuple[Dropped, ...]  # from the events read down to the rows
    examples: dict[str, list[str]]  # of what rules refused
    sources: dict[str, Told]  # by who reported the sale
    libraries: dict[str, str]
    snapshot_version: Literal[1] = 1

    @property
    def before_ms(self) -> int:
        return self.request.before_ms

    @property
    def version(self) -> str:
        return self.content_sha256[:_VERSION_DIGITS]

    @property
    def folder_name(self) -> str:
        at = datetime.fromtimestamp(self.before_ms / 1000, UTC)
        return f"{self.request.purpose}_{self.version}_{at:%Y%m%dT%H%M%SZ}"


def make(root: Path, data: Dataset, request: Request) -> tuple[Path, bool]:
    """Write a snapshot below `root`; give its folder, and whether it is new.

    Raises
    ------
    SnapshotRefused : there are no rows, or what stands there is broken
    """
    if not len(data):
        raise SnapshotRefused(f"{data.market}: no home was sold, so there is nothing to keep")
    files = _files(data)
    made = _describe(data, request, files)
    folder = root / made.folder_name
    if folder.exists():
        verify(folder)
        return folder, False
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=MAKING, dir=root) as making:
        staged = Path(making, folder.name)
        staged.mkdir()
        for name, content in files.items():
            (staged / name).write_bytes(content)
        description = msgspec.json.format(msgspec.json.encode(made))
        (staged / DESCRIPTION).write_bytes(description + b"\n")
        staged.rename(folder)
    return folder, True


def describe(folder: Path) -> Snapshot:
    """What a snapshot says it is.

    Raises
    ------
    SnapshotRefused : there is none
    """
    path = folder / DESCRIPTION
    try:
        return msgspec.json.decode(path.read_bytes(), type=Snapshot)
    except OSError as error:
        raise SnapshotRefused(f"{path}: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SnapshotRefused(f"{path}: is no description of a snapshot: {error}") from None


def columns(folder: Path) -> tuple[Snapshot, Columns]:
    """All columns by name, whatever features they are of.

    Raises
    ------
    SnapshotRefused : a part is missing, or is not the one that was written
    """
    made = describe(folder)
    parts = [pq.read_table(io.BytesIO(_checked(folder, part))) for part in made.parts]
    table = pa.concat_tables(parts)
    return made, {name: _array(table[name]) for name in table.column_names}


def load(folder: Path) -> tuple[Snapshot, Dataset]:
    """The data set as it was.

    Raises
    ------
    SnapshotRefused : it is not what it says, or of other features than this program has
    """
    made, found = columns(folder)
    if made.feature_set != FEATURE_SET:
        raise SnapshotRefused(
            f"{folder}: was made with feature set {made.feature_set}, this program has "
            f"{FEATURE_SET}: make it anew from its log"
        )
    data = Dataset(
        market=made.market,
        rows=np.column_stack([found[name] for name in NAMES]),
        **{name: found[name] for name in (*NUMBERS, *TEXTS)},
        counts=made.events,
        examples=made.examples,
        read=made.read,
    )
    if content_sha256(data) != made.content_sha256:
        raise SnapshotRefused(f"{folder}: its rows are not those that {DESCRIPTION} is of")
    return made, data


def verify(folder: Path) -> Snapshot:
    """Check every byte of the parts, and that the rows are those that the name says.

    Raises
    ------
    SnapshotRefused : says what is wrong
    """
    made = describe(folder)
    if made.feature_set == FEATURE_SET:
        return load(folder)[0]
    return columns(folder)[0]


def content_sha256(data: Dataset) -> str:
    """Hash of all that a row says, but for its places in the log."""
    digest = hashlib.sha256(msgspec.json.encode([data.market, NAMES, _CONTENT]))
    for name in ("rows", *_CONTENT):
        column = getattr(data, name)
        if name in TEXTS:
            digest.update(msgspec.json.encode(column.tolist()))
        else:
            digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def _files(data: Dataset) -> dict[str, bytes]:
    """Parquet by file name; equal rows in equal order give equal bytes."""
    found: Columns = {name: data.rows[:, place] for place, name in enumerate(NAMES)}
    found |= {name: getattr(data, name) for name in NUMBERS}
    table = pa.table(
        {name: pa.array(column, from_pandas=True) for name, column in found.items()}
        | {name: pa.array(getattr(data, name).tolist(), pa.string()) for name in TEXTS}
    )
    return {
        f"part-{number:05d}.parquet": _parquet(table.slice(begin, PART_ROWS))
        for number, begin in enumerate(range(0, len(data), PART_ROWS))
    }


def _parquet(table: pa.Table) -> bytes:
    made = io.BytesIO()
    pq.write_table(table, made, compression="zstd", write_page_checksum=True)
    return made.getvalue()


def _describe(data: Dataset, request: Request, files: Mapping[str, bytes]) -> Snapshot:
    return Snapshot(
        market=data.market,
        request=request,
        content_sha256=content_sha256(data),
        data_sha256=dataset.sha256(data),
        feature_set=FEATURE_SET,
        rows=len(data),
        columns=_schema(data.market),
        parts=tuple(
            Part(
                name,
                min(PART_ROWS, len(data) - number * PART_ROWS),
                len(content),
                hashlib.sha256(content).hexdigest(),
            )
            for number, (name, content) in enumerate(files.items())
        ),
        read=data.read,
        events=data.counts,
        accounts=account(data.counts, len(data), data.examples),
        examples=data.examples,
        sources={source: _told(data, source) for source in np.unique(data.source).tolist()},
        libraries={name: library_version(name) for name in _LIBRARIES}
        | {"python": platform.python_version()},
    )


def _told(data: Dataset, source: str) -> Told:
    shifts = (data.log_price - data.naive_log)[data.source == source]
    known = shifts[~np.isnan(shifts)]
    return Told(len(shifts), float(np.median(known)) if known.size else None)


def _schema(market: str) -> tuple[Column, ...]:
    units = {
        "log_price": f"log {MARKETS[market].currency}",
        "naive_log": f"log {MARKETS[market].currency}",
        "area_m2": "m2",
        "listed_ms": "Unix time, ms",
        "sold_ms": "Unix time, ms",
    }
    return (
        *(Column(feature.name, "float64", feature.unit) for feature in FEATURES),
        *(
            Column(name, "float64" if code == "d" else "int64", units.get(name, "number"))
            for name, code in NUMBERS.items()
        ),
        *(Column(name, "string", "text") for name in TEXTS),
    )


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    """Null of a number is NaN."""
    if pa.types.is_string(column.type):
        return np.array(column.to_pylist(), dtype=np.str_)
    found: NDArray[Any] = column.to_numpy()
    return found


def _checked(folder: Path, part: Part) -> bytes:
    path = folder / Path(part.file).name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SnapshotRefused(f"{path}: {error.strerror}") from None
    if len(content) != part.size_bytes:
        raise SnapshotRefused(f"{path}: has {len(content)} bytes, was written {part.size_bytes}")
    if hashlib.sha256(content).hexdigest() != part.sha256:
        raise SnapshotRefused(f"{path}: was changed since it was written: its hash is another one")
    return content
