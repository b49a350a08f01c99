"""Where a replay stands: a small file, always whole, written after confirmation.

The position counts events confirmed without a gap, so going on from it skips
nothing. Events sent after the last write are sent again after a crash, with the
same ids: the scorer knows them as duplicates.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from producers.selection import Selection


class BadCheckpoint(ValueError):
    """The file is no checkpoint, or one of another replay."""


class SourceFile(Struct, frozen=True):
    name: str
    sha256: str


class Replay(Struct, frozen=True, kw_only=True):
    """Which events, in which order, to which topic. A position means nothing without it."""

    source: str
    files: tuple[SourceFile, ...]
    seed: int
    from_ms: int | None
    to_ms: int | None
    topic: str
    topic_id: str  # another one: the topic was recreated and holds nothing of what was sent
    scenario: tuple[SourceFile, ...] = ()


class Checkpoint(Struct, frozen=True, kw_only=True):
    replay: Replay
    position: int  # events confirmed
    version: int = 1


def replay_of(selection: Selection, topic: str, topic_id: str) -> Replay:
    """Name a replay by all that decides its events; reads the files for their hashes."""
    return Replay(
        source=selection.source,
        files=_files(selection.paths),
        seed=selection.seed,
        from_ms=selection.from_ms,
        to_ms=selection.to_ms,
        topic=topic,
        topic_id=topic_id,
        scenario=_files([selection.scenario] if selection.scenario else []),
    )


def load(path: Path, replay: Replay) -> int:
    """The position to go on from; 0 when there is no file yet.

    Raises
    ------
    BadCheckpoint : not readable, or of another replay; the message says what differs
    """
    try:
        checkpoint = msgspec.json.decode(path.read_bytes(), type=Checkpoint)
    except FileNotFoundError:
        return 0
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        raise BadCheckpoint(f"{path} is no checkpoint of a replay: {error}") from None
    for name in Replay.__struct_fields__:
        theirs, ours = getattr(checkpoint.replay, name), getattr(replay, name)
        if theirs != ours:
            raise BadCheckpoint(
                f"{path} is of another replay: its {name} is {_told(theirs)}, "
                f"here it is {_told(ours)}; choose another file, or delete this one to start anew"
            )
    return checkpoint.position


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the file in one step; on disk when this returns."""
    write_whole(path, msgspec.json.encode(checkpoint))


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file of JSON in one step; on disk when this returns."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as out:
        out.write(msgspec.json.format(content))
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or the new name may not outlive a power cut
    finally:
        os.close(folder)


def _files(paths: Sequence[Path]) -> tuple[SourceFile, ...]:
    files = []
    for path in paths:
        with path.open("rb") as content:
            files.append(SourceFile(path.name, hashlib.file_digest(content, "sha256").hexdigest()))
    return tuple(files)


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{file.name} ({file.sha256[:12]})" for file in value)
    return str(value)
