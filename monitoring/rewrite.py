"""Puts a manifest in the place of a published one: same range, other files.

Theory. Two locks on one file keep writers and rewriters apart. Who publishes a range
holds it shared, so that archivers do not wait for each other; who rewrites one, alone,
and for one manifest at a time. The kernel lets go of the lock of a process that dies.

A rewrite is published like a range (chain.py): the new manifest is staged, its files
are written, and one `os.replace` decides. Only then the old files go. The staged manifest
names both the new files and those that go (`gone`): so whatever a death leaves, sweeping
removes what the published manifest does not name. Sweeping needs the lock too: a rewrite
that is being made looks like one that was left.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import MsgspecError

from monitoring import chain, durable
from stream_app.contract.archive import MANIFESTS, ArchiveManifest, manifest_name

REWRITES = "rewrites"
LOCK = "lock"
TRY_EVERY_S = 0.05


class Busy(Exception):
    """Another process publishes or rewrites just now."""


@contextmanager
def publishing(root: Path) -> Iterator[None]:
    """Hold the archive so that nobody rewrites; others may publish meanwhile."""
    with _lock_file(root) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield


@contextmanager
def rewriting(root: Path, within_s: float = 0.0) -> Iterator[None]:
    """Hold the archive alone, what dead rewriters left removed.

    Raises
    ------
    Busy : somebody held it all the time
    """
    deadline_s = time.monotonic() + within_s
    with _lock_file(root) as descriptor:
        while not _has_locked(descriptor):
            if time.monotonic() >= deadline_s:
                raise Busy(f"{root}: an archiver held it for {within_s:g} s; is one stopped?")
            time.sleep(TRY_EVERY_S)
        sweep(root)
        yield


def place(root: Path, manifest: ArchiveManifest) -> Path:
    """Tell where the manifest of this range is published."""
    name = manifest_name(manifest.partition, manifest.first_offset)
    return root / MANIFESTS / manifest.topic / manifest.topic_id / name


def replace(
    root: Path,
    manifest: ArchiveManifest,
    contents: Mapping[str, bytes],
    token: str,
    reached: Callable[[str], None] = chain.nothing,
) -> None:
    """Publish the manifest in the place of that of the same range. Under `rewriting` only.

    Parameters
    ----------
    contents : bytes of each file that is new
    token : unique to this attempt
    """
    published = place(root, manifest)
    intent = root / REWRITES / f"{published.name}.{token}"
    chain.stage(root, intent, manifest, contents, reached)
    ready = intent.with_name(f"{intent.name}.ready")
    os.link(intent, ready)
    ready.replace(published)
    durable.flush_folder(published.parent)
    reached("publish")
    chain.clean(root, intent, _paths(manifest))


def sweep(root: Path) -> int:
    """Remove what dead rewriters left; return the number of files."""
    return sum(_sweep_one(root, intent) for intent in sorted((root / REWRITES).glob("*")))


def _sweep_one(root: Path, intent: Path) -> int:
    try:
        staged = chain.read(intent)
    except MsgspecError:  # torn while it was written: no file was begun
        intent.unlink()
        return 0
    published = chain.read(place(root, staged))
    return chain.clean(root, intent, _paths(published))


def _paths(manifest: ArchiveManifest) -> frozenset[str]:
    return frozenset(file.path for file in manifest.files)


@contextmanager
def _lock_file(root: Path) -> Iterator[int]:
    durable.make_folder(root)
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield descriptor
    finally:
        os.close(descriptor)  # lets go of the lock


def _has_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
