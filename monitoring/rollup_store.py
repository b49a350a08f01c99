"""Keeps the daily figures beside the archive, and takes in what was archived since.

Theory. A part is a folder of the archive, `<topic>/<topic id>/<day>/<market>`: what the broker
took of one topic on one day. Its figures are kept apart from the others', since whole days are
what a clean-up drops, and one folder is what has to be read again after an erasure:

- new ranges are found by their names, as each begins where the one before ends: what was
  folded is not opened again, and a year of it costs nothing;
- a *pruned* day stays told: its part stays as it was;
- an *erasure* leaves a receipt. Then all manifests are looked at once, and the parts that lost
  rows are folded again from what is left; if the day was pruned, too, its sums stay. No bag
  names a listing.

Of a topic that was recreated and filled again, a day is told by the newest topic that has it.
What is read is adopted whole or not at all: a file that goes meanwhile ends the attempt with
FileNotFoundError, and the next one begins from what is kept.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct
from msgspec.structs import replace

from monitoring import chain, durable, erasures, rollup
from monitoring.rollup import Days
from stream_app.contract.archive import ArchiveFile, ArchiveManifest
from stream_app.contract.topics import EVENTS, OUTCOMES, PREDICTIONS, REJECTS, Topic, full_name

KEPT = "rollup.json"
TOPICS = (EVENTS, REJECTS, PREDICTIONS, OUTCOMES)
ROWS_AT_ONCE = 200_000  # some 100 MB of columns at most


class Rollup(Struct, frozen=True, kw_only=True):
    """All that is known. Nothing in it is changed: a refresh makes another one."""

    version: int = 1
    positions: Mapping[str, int] = {}  # chain -> offset to go on from
    archived_ms: Mapping[str, int] = {}  # market -> when its newest rows were published
    parts: Mapping[str, Days] = {}  # by folder below the archive
    receipts: frozenset[str] = frozenset()  # of erasures that were taken in
    erased_files: frozenset[str] = frozenset()  # that gave way to others, and are taken in


class Work(Struct):
    """What a refresh has read; tests count it instead of seconds."""

    manifests: int = 0
    files: int = 0
    rows: int = 0


def load(root: Path) -> Rollup:
    """What was kept; nothing is known yet without it."""
    try:
        return msgspec.json.decode((root / KEPT).read_bytes(), type=Rollup)
    except FileNotFoundError:
        return Rollup()


def save(root: Path, known: Rollup) -> None:
    """Keep it, at once or not at all; of two that save, either is right."""
    durable.replace(root / KEPT, msgspec.json.encode(known))


def refresh(root: Path, prefix: str, known: Rollup) -> tuple[Rollup, Work]:
    """Take in what is new.

    Raises
    ------
    FileNotFoundError : a file went while it was read; try again
    """
    work = Work()
    topics = {full_name(prefix, topic): topic for topic in TOPICS}
    receipts = _receipts(root)
    if receipts != known.receipts:
        known = _without_erased(root, topics, replace(known, receipts=receipts), work)
    positions, parts = dict(known.positions), dict(known.parts)
    gone: set[str] = set()
    fresh: defaultdict[str, list[ArchiveFile]] = defaultdict(list)
    archived_ms = dict(known.archived_ms)
    for name, manifest in (
        each for topic in topics for each in chain.since(root, topic, positions)
    ):
        work.manifests += 1
        positions[name] = manifest.next_offset
        gone |= _erased_files(manifest)
        for file in manifest.files:
            fresh[str(PurePosixPath(file.path).parent)].append(file)
            archived_ms[file.market] = max(archived_ms.get(file.market, 0), manifest.made_ms)
    for folder, files in fresh.items():
        parts[folder] = _folded(root, topics, folder, files, parts.get(folder, {}), work)
    made = replace(
        known,
        positions=positions,
        parts=parts,
        archived_ms=archived_ms,
        erased_files=known.erased_files | gone,
    )
    return made, work


def days_of(known: Rollup, prefix: str, market: str) -> Days:
    """The daily figures of a market, of all topics."""
    days: Days = {}
    for topic in TOPICS:
        rollup.add(days, _of_topic(known, full_name(prefix, topic), market))
    return days


def _of_topic(known: Rollup, topic: str, market: str) -> Days:
    incarnations: defaultdict[str, Days] = defaultdict(dict)
    for folder, part in known.parts.items():
        of_topic, topic_id, _, of_market = PurePosixPath(folder).parts
        if (of_topic, of_market) == (topic, market):
            rollup.add(incarnations[topic_id], part)
    days: Days = {}
    for incarnation in sorted(incarnations.values(), key=_begun_ms):
        days |= incarnation
    return days


def _begun_ms(days: Days) -> int:
    return min((day.appended_ms for day in days.values() if day.appended_ms is not None), default=0)


def _folded(
    root: Path,
    topics: Mapping[str, Topic],
    folder: str,
    files: Iterable[ArchiveFile],
    before: Days,
    work: Work,
) -> Days:
    """The figures of a part with these files more."""
    topic = topics[PurePosixPath(folder).parts[0]]
    days: Days = {}
    rollup.add(days, before)
    for batch in _batches(file for file in files if file.layout == _layout(topic)):
        tables = [_read(root / file.path, topic) for file in batch]
        table = pa.concat_tables(tables, promote_options="default")
        work.files, work.rows = work.files + len(batch), work.rows + table.num_rows
        rollup.add(days, rollup.fold(topic, table))
    return days


def _batches(files: Iterable[ArchiveFile]) -> Iterator[list[ArchiveFile]]:
    batch: list[ArchiveFile] = []
    for file in files:
        if batch and sum(each.rows for each in batch) + file.rows > ROWS_AT_ONCE:
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch


def _layout(topic: Topic) -> str:
    return "raw" if topic in (EVENTS, REJECTS) else "message"


def _read(path: Path, topic: Topic) -> pa.Table:
    file = pq.ParquetFile(path)
    there = set(file.schema_arrow.names)
    return file.read(columns=[name for name in rollup.columns(topic) if name in there])


def _receipts(root: Path) -> frozenset[str]:
    done = root / erasures.DONE
    return frozenset(str(path.relative_to(done)) for path in done.glob("*/*/*.json"))


def _without_erased(root: Path, topics: Mapping[str, Topic], known: Rollup, work: Work) -> Rollup:
    """Fold those parts again that lost rows since; up to the positions, as they were folded."""
    manifests = [m for topic in topics for m in chain.manifests(root, topic) if _is_in(known, m)]
    work.manifests += len(manifests)
    gone = frozenset[str]().union(*map(_erased_files, manifests)) - known.erased_files
    touched = {str(PurePosixPath(path).parent) for path in gone}
    pruned = {
        str(PurePosixPath(file.path).parent)
        for manifest in manifests
        for file in manifest.gone
        if file.why == "pruned"
    }
    left: defaultdict[str, list[ArchiveFile]] = defaultdict(list)
    for manifest in manifests:
        for file in manifest.files:
            left[str(PurePosixPath(file.path).parent)].append(file)
    parts = dict(known.parts)
    for folder in sorted(touched - pruned):
        parts[folder] = _folded(root, topics, folder, left[folder], {}, work)
    return replace(known, parts=parts, erased_files=known.erased_files | gone)


def _is_in(known: Rollup, manifest: ArchiveManifest) -> bool:
    name = f"{manifest.topic}/{manifest.topic_id}/{manifest.partition}"
    return manifest.first_offset < known.positions.get(name, 0)


def _erased_files(manifest: ArchiveManifest) -> frozenset[str]:
    return frozenset(file.path for file in manifest.gone if file.why == "erased")
