"""The archive on disk: a chain of offset ranges per partition, one manifest for each.

Theory. A range is published in four steps, and exists from the third on:

1. *intent*: the finished manifest is written under `staging/`. It names the data
   files before they exist, so that whatever a crash leaves behind is known by name.
2. *data*: the Parquet files are written at their final places, and flushed to disk.
3. *publish*: `os.link` gives the intent its name under `manifests/`. The name is
   made of topic id, partition and first offset; a link is atomic and fails when the
   name exists. This one call decides.
4. *clean*: the intent goes.

Invariant: ranges of a partition never overlap and leave no hole, whoever writes.
Every writer begins where the chain on disk ends, and goes on where its own last
range ended; the first range begins at 0, whatever the broker still holds. So two
writers that disagree, a zombie and its successor, meet at the same first offset,
where only one of them can have the name. The other gets `RangeTaken`, removes what
it staged, and starts again from the end of the chain.

Sweeping is safe against writers that only sleep: an intent whose range begins below
the end of the chain can never be published any more, so its files go, if the manifest
of that name does not name them. An intent at the end of the chain may still win: it
stays, and is swept when the chain has passed it.

Not here: what is in a file (tables.py), when to write one (archive.py), what may change
afterwards (rewrite.py).
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import MsgspecError

from monitoring import durable
from stream_app.contract.archive import MANIFESTS, ArchiveManifest, manifest_name
from stream_app.contract.wire import decode_archive_manifest, encode

STAGING = "staging"
FIRST = manifest_name(0, 0).partition("-")[2]  # how the name of a chain's first range ends


class RangeTaken(Exception):
    """Another archiver has published a range that begins here: its rows count, not ours."""


class Source(NamedTuple):
    """One partition of one incarnation of a topic."""

    topic: str  # full name
    topic_id: str
    partition: int


def nothing(_step: str) -> None:
    """Told of each step; tests pass one that ends the process there."""


def end(root: Path, source: Source) -> int:
    """Tell the position to go on from: the end of the newest range, 0 without any."""
    folder = root / MANIFESTS / source.topic / source.topic_id
    names = sorted(folder.glob(f"{_prefix(source)}*.json"))
    return read(names[-1]).next_offset if names else 0


def publish(
    root: Path,
    manifest: ArchiveManifest,
    contents: Mapping[str, bytes],
    token: str,
    reached: Callable[[str], None] = nothing,
) -> None:
    """Make a range part of the archive, at once or not at all.

    Parameters
    ----------
    contents : bytes of each file that the manifest names
    token : unique to this attempt

    Raises
    ------
    RangeTaken : the range exists already; nothing of this attempt is left
    """
    name = manifest_name(manifest.partition, manifest.first_offset)
    below = Path(manifest.topic, manifest.topic_id)
    intent = root / STAGING / below / f"{name}.{token}"
    stage(root, intent, manifest, contents, reached)
    published = root / MANIFESTS / below / name
    durable.make_folder(published.parent)
    try:
        os.link(intent, published)
    except (FileExistsError, FileNotFoundError):  # taken; and our intent already swept
        _remove(root, intent, [file.path for file in manifest.files])
        raise RangeTaken(
            f"{manifest.topic}[{manifest.partition}]@{manifest.first_offset}"
        ) from None
    durable.flush_folder(published.parent)
    reached("publish")
    intent.unlink(missing_ok=True)  # a successor may have swept it already


def stage(
    root: Path,
    intent: Path,
    manifest: ArchiveManifest,
    contents: Mapping[str, bytes],
    reached: Callable[[str], None],
) -> None:
    """Write what is about to be published, the intent first: by it a sweep finds the rest."""
    durable.write_new(intent, encode(manifest))
    reached("intent")
    for path, content in contents.items():
        durable.write_new(root / path, content)
        reached("file")
    reached("data")


def sweep(root: Path, source: Source) -> int:
    """Remove what dead or beaten writers of this partition left; return the number of files."""
    folder = root / STAGING / source.topic / source.topic_id
    chain_end = end(root, source)
    removed = 0
    for intent in sorted(folder.glob(f"{_prefix(source)}*")):
        first_offset = int(intent.name.removeprefix(_prefix(source)).partition(".")[0])
        if first_offset < chain_end:
            removed += clean(root, intent, _published(root, source, first_offset))
    return removed


def manifests(root: Path, topic: str) -> Iterator[ArchiveManifest]:
    """Read all manifests of a topic, older incarnations too; each partition's in order."""
    for path in sorted((root / MANIFESTS / topic).glob("*/*.json")):
        yield read(path)


def since(
    root: Path, topic: str, positions: Mapping[str, int]
) -> Iterator[tuple[str, ArchiveManifest]]:
    """Read the manifests of a topic that begin at these positions or later, and name each chain.

    Each range begins where the one before ends: so what was read is not opened again.
    """
    for name, first in begun(root, topic):
        for manifest in follow(first, positions.get(name, 0)):
            yield name, manifest


def begun(root: Path, topic: str) -> Iterator[tuple[str, Path]]:
    """Name each chain of a topic, older incarnations too, and where its first manifest is."""
    for first in sorted((root / MANIFESTS / topic).glob(f"*/*-{FIRST}")):
        yield f"{topic}/{first.parent.name}/{_partition(first)}", first


def follow(first: Path, offset: int) -> Iterator[ArchiveManifest]:
    """Read the manifests of one chain from the range on that begins at this offset."""
    path = first.with_name(manifest_name(_partition(first), offset))
    while path.exists():
        manifest = read(path)
        yield manifest
        path = first.with_name(manifest_name(_partition(first), manifest.next_offset))


def _partition(manifest: Path) -> int:
    return int(manifest.name.partition("-")[0])


def read(path: Path) -> ArchiveManifest:
    """Read one manifest."""
    return decode_archive_manifest(path.read_bytes())


def _prefix(source: Source) -> str:
    return manifest_name(source.partition, 0).partition("-")[0] + "-"


def _published(root: Path, source: Source, first_offset: int) -> frozenset[str]:
    """Name the files of the range that begins at `first_offset`; none when none does."""
    name = manifest_name(source.partition, first_offset)
    path = root / MANIFESTS / source.topic / source.topic_id / name
    if not path.exists():
        return frozenset()
    return frozenset(file.path for file in read(path).files)


def clean(root: Path, intent: Path, published: frozenset[str]) -> int:
    """Remove what an intent names and the published manifest does not, then the intent.

    Right for any intent that can win no more: of a range that was taken, of one that was
    published, and of a manifest that took another's place or did not (rewrite.py).
    """
    try:
        manifest = read(intent)
    except FileNotFoundError:  # another archiver swept it just now
        return 0
    except MsgspecError:  # torn while it was written: no data file was begun
        intent.unlink(missing_ok=True)
        return 0
    named = [file.path for file in manifest.files] + [gone.path for gone in manifest.gone]
    return _remove(root, intent, [path for path in named if path not in published])


def _remove(root: Path, intent: Path, paths: Iterable[str]) -> int:
    """Remove the files, then the intent that knows their names; count files that were there."""
    there = [root / path for path in paths if (root / path).exists()]
    for path in there:
        path.unlink(missing_ok=True)
    intent.unlink(missing_ok=True)
    return len(there)
