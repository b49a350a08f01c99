"""Topics as the archive holds them: the same records, from Parquet instead of a broker.

Only what manifests name is read, and what a manifest names must be there to the byte. A
partition's ranges must begin at 0 and leave no hole: a replay of a log with a gap would give
features that nobody was served. Layout: stream_app/contract/archive.py; whoever writes it is
another program.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from offline import activated
from offline.log import Line, LogUnreadable, Partition, head_of
from stream_app.contract import wire
from stream_app.contract.archive import (
    MANIFESTS,
    ArchiveFile,
    ArchiveManifest,
    manifest_name,
)
from stream_app.contract.counts import counted
from stream_app.contract.ids import murmur2
from stream_app.contract.topics import ACTIVATIONS, EVENTS, Topic, full_name
from stream_app.stages.step import Record

_RECORD = ("offset", "key", "value", "appended_ms")  # in the order of `Record`
Layout = Literal["message", "raw"]
# Partition counts that are tried above the highest partition that has events.
_COUNTS_TRIED = 64


@dataclass(frozen=True)
class Archived:
    """One partition of one incarnation of a topic. A plain value; reads when asked."""

    root: Path
    topic: str  # full name
    topic_id: str
    partition: int

    def manifests(self) -> list[ArchiveManifest]:
        """Its ranges in order, without a hole.

        Raises
        ------
        LogUnreadable : a range is missing, was lost before it was archived, or is no manifest
        """
        folder = self.root / MANIFESTS / self.topic / self.topic_id
        first = manifest_name(self.partition, 0).partition("-")[0]
        found = [_manifest(path) for path in sorted(folder.glob(f"{first}-*.json"))]
        refuse_holes(found)
        return found

    def tables(self, layout: Layout, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Each range's files of a layout as one table, in offset order; one is held at a time.

        Every file is held against its manifest's hash.
        """
        for manifest in self.manifests():
            files = [_checked(self.root, f) for f in manifest.files if f.layout == layout]
            tables = [pq.read_table(io.BytesIO(file), columns=list(columns)) for file in files]
            if tables:
                yield pa.concat_tables(tables).sort_by("offset")

    def records(self) -> Iterator[Record]:
        """What is kept as it came, in offset order."""
        for table in self.tables("raw", _RECORD):
            columns = (table[name].to_pylist() for name in _RECORD)
            yield from (Record(*row) for row in zip(*columns, strict=True))


@dataclass(frozen=True)
class _ArchivedLines:
    """Events, each with the policies that the archived activations say it was taken in with."""

    events: Archived
    activations: Archived | None  # None: none is archived, so the policies are the default

    def __iter__(self) -> Iterator[Line]:
        told = () if self.activations is None else self.activations.records()
        spans = activated.spans(record.value for record in told)
        for record, policies in activated.along(self.events.records(), spans):
            yield Line(record, head_of(record.value), policies)


def of_archive(root: Path, prefix: str, topic_id: str | None = None) -> list[Partition]:
    """All partitions of `housing.events` as archived.

    Parameters
    ----------
    topic_id : which incarnation of the topic; None: the only one

    Raises
    ------
    LogUnreadable : no such archive, or it is not whole
    """
    found = partitions(root, prefix, EVENTS, topic_id)
    policies = {each.partition: each for each in _if_any(root, prefix, ACTIVATIONS)}
    keys = {each.partition: _keys(each) for each in found}
    count = partition_count(keys)
    return [
        Partition(
            each.topic,
            each.partition,
            count,
            _ArchivedLines(each, policies.get(each.partition)),
            each.topic_id,
        )
        for each in found
    ]


def partitions(
    root: Path, prefix: str, topic: Topic, topic_id: str | None = None
) -> list[Archived]:
    """The partitions of a topic that have anything archived, checked to be whole.

    Raises
    ------
    LogUnreadable : none, more than one incarnation, or it is not whole
    """
    name = full_name(prefix, topic)
    folder = root / MANIFESTS / name
    known = sorted(path.name for path in folder.glob("*") if any(path.glob("*.json")))
    if topic_id is None and len(known) > 1:
        raise LogUnreadable(
            f"{folder}: the topic was made anew, its ids are {', '.join(known)}; "
            "say which with archive:ID"
        )
    if not known or topic_id not in (None, *known):
        raise LogUnreadable(f"{folder}: nothing of {name} {topic_id or ''} is archived there")
    chosen = topic_id or known[0]
    numbers = {int(path.name.partition("-")[0]) for path in (folder / chosen).glob("*.json")}
    found = [Archived(root, name, chosen, number) for number in sorted(numbers)]
    for each in found:
        each.manifests()
    return found


def refuse_holes(manifests: Iterable[ArchiveManifest]) -> None:
    """Raise unless each range begins where the one before ends, the first at 0.

    Raises
    ------
    LogUnreadable : names the offsets that are not there
    """
    end = 0
    for manifest in manifests:
        where = f"{manifest.topic}[{manifest.partition}]"
        if manifest.first_offset != end:
            raise LogUnreadable(
                f"{where}: no manifest holds offsets {end} to {manifest.first_offset - 1}"
                if manifest.first_offset > end
                else f"{where}: two manifests hold offset {manifest.first_offset}"
            )
        if manifest.lost_to_offset > manifest.first_offset:
            raise LogUnreadable(
                f"{where}: offsets {manifest.first_offset} to {manifest.lost_to_offset - 1} had "
                "been deleted before they were archived; what came of them cannot be rebuilt"
            )
        pruned = [file for file in manifest.gone if file.why == "pruned"]
        if pruned:
            raise LogUnreadable(
                f"{where}: {counted(sum(file.rows for file in pruned), 'record')} from offset "
                f"{manifest.first_offset} on went with an old day: {pruned[0].path}"
            )
        if sum(file.rows for file in manifest.files) != manifest.rows:
            raise LogUnreadable(
                f"{where}: files of {manifest.rows} rows are named from offset "
                f"{manifest.first_offset} on, and hold {sum(file.rows for file in manifest.files)}"
            )
        end = manifest.next_offset


def partition_count(keys: Mapping[int, set[bytes]]) -> int:
    """How many partitions a topic has, of which a manifest does not speak.

    That with which the most keys lie where they do; of equals the least.

    >>> from stream_app.contract.ids import partition_of
    >>> regions = [b"kc-%d" % n for n in range(40)]
    >>> partition_count({n: {r for r in regions if partition_of(r, 6) == n} for n in range(5)})
    6
    """
    least = max(keys) + 1
    hashes = [(number, murmur2(key) & 0x7FFFFFFF) for number in keys for key in keys[number]]

    def at_home(count: int) -> int:
        return sum(value % count == number for number, value in hashes)

    return max(range(least, least + _COUNTS_TRIED), key=at_home)


def _keys(events: Archived) -> set[bytes]:
    found: set[bytes] = set()
    for table in events.tables("raw", ["offset", "key"]):
        found.update(table["key"].unique().to_pylist())
    return found - {None}


def _if_any(root: Path, prefix: str, topic: Topic) -> list[Archived]:
    if not (root / MANIFESTS / full_name(prefix, topic)).is_dir():
        return []
    return partitions(root, prefix, topic)


def _manifest(path: Path) -> ArchiveManifest:
    try:
        return wire.decode_archive_manifest(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise LogUnreadable(f"{path}: {error}") from None


def _checked(root: Path, file: ArchiveFile) -> bytes:
    """A file's bytes, if they are those that the manifest names."""
    try:
        content = (root / file.path).read_bytes()
    except OSError as error:
        raise LogUnreadable(f"{root / file.path}: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise LogUnreadable(f"{root / file.path}: is not what its manifest names")
    return content
