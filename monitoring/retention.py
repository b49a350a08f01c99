"""Old days leave the archive: whole files, and the manifests say which.

A range's manifest stays, so that its chain has no hole and nothing is read again from the
broker. Not here: what the broker keeps (stream_app/contract/topics.py).
"""

import secrets
import time
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from monitoring import chain, rewrite
from monitoring.tables import LAYOUTS
from stream_app.contract.archive import ArchiveFile, ArchiveManifest, GoneFile
from stream_app.contract.topics import OUTCOMES, PREDICTIONS, REJECTS, SHADOW

TOPICS = tuple(layout.topic for layout in LAYOUTS)
# What a replay of the events makes again. They themselves cannot be had again, nor can the
# audit trail (alerts) or who served when (models): those go only when named.
DEFAULT = (PREDICTIONS, SHADOW, OUTCOMES, REJECTS)
WAIT_S = 30.0  # for archivers to publish; they hold the archive for moments


class Sums(Struct):
    """What went of one topic."""

    rows: int = 0
    files: int = 0
    size_bytes: int = 0


class Pruned(Struct, frozen=True):
    """What went, by topic."""

    before: str
    dry_run: bool
    topics: dict[str, Sums]


def prune(root: Path, topics: Iterable[str], before: str, *, dry_run: bool) -> Pruned:
    """Drop the files of days before `before` (YYYY-MM-DD) of these topics.

    Raises
    ------
    Busy : an archiver holds the archive and does not let go
    """
    sums: dict[str, Sums] = {}
    for topic in topics:
        sums[topic] = Sums()
        for manifest in list(chain.manifests(root, topic)):
            old = _old(manifest, before)
            if old and not dry_run:
                _prune_one(root, manifest, before)
            sums[topic].rows += sum(file.rows for file in old)
            sums[topic].files += len(old)
            sums[topic].size_bytes += sum(file.size_bytes for file in old)
    return Pruned(before, dry_run, sums)


def without_days(manifest: ArchiveManifest, before: str, now_ms: int) -> ArchiveManifest:
    """Make the manifest that takes this one's place when its days before `before` go."""
    old = _old(manifest, before)
    left = tuple(file for file in manifest.files if file not in old)
    gone = (GoneFile(path=f.path, rows=f.rows, why="pruned", gone_ms=now_ms) for f in old)
    return msgspec.structs.replace(
        manifest, rows=sum(f.rows for f in left), files=left, gone=(*manifest.gone, *gone)
    )


def _old(manifest: ArchiveManifest, before: str) -> list[ArchiveFile]:
    # <topic>/<topic id>/<day>/...; days sort as text
    return [file for file in manifest.files if PurePosixPath(file.path).parts[2] < before]


def _prune_one(root: Path, seen: ArchiveManifest, before: str) -> None:
    with rewrite.rewriting(root, WAIT_S):
        # An erasure may have put another one in its place since it was read.
        manifest = chain.read(rewrite.place(root, seen))
        pruned = without_days(manifest, before, time.time_ns() // 1_000_000)
        rewrite.replace(root, pruned, {}, secrets.token_hex(4))
