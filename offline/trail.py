"""What was done to the models, by whom and why: an append-only file, line chained to line.

A deed is written before it begins and when it has ended, so that one that died in between
shows. Each line holds the hash of the one before: a line that is changed, taken out or put
in breaks the chain. That lines were cut off at the end, or that all was written anew, shows
to whoever noted the newest hash elsewhere; each command's result has it.

It is a file, for training must work without a broker. Who serves stands on `housing.models`,
too. Not here: which commands are recorded (trail_command.py).
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from enum import StrEnum, auto
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

START = "0" * 64  # what the first line names as the one before


class State(StrEnum):
    """How far a deed has come."""

    BEGUN = auto()
    DONE = auto()
    FAILED = auto()  # who serves is whom it was before, unless `error` says otherwise


class Deed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line's words. A field to come has a default: so that older lines keep their hash."""

    at_ms: int
    by: str
    action: str  # the command
    state: State
    market: str
    version: str | None = None  # to which
    previous: str | None = None  # from which
    reason: str | None = None
    error: str | None = None
    hashes: dict[str, str] = {}  # of bundle, data and the like


class Line(Struct, frozen=True):
    """A deed in its place. The hash is of the one before and of the deed."""

    deed: Deed
    before: str
    sha256: str


class Checked(NamedTuple):
    """What a file holds, and what is wrong with it."""

    deeds: list[Deed]
    faults: list[str]
    head: str  # the newest line's hash


def append(path: Path, deed: Deed) -> str:
    """Add a line, whole and on the disk; give its hash.

    Raises
    ------
    OSError : it cannot be written
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # let go when it is closed
        file.seek(0)
        written = file.read()
        line = chained(_head(written.splitlines()), deed)
        # Who died while writing left half a line: it stays, and is told of as broken.
        torn = b"" if written.endswith(b"\n") or not written else b"\n"
        file.write(torn + msgspec.json.encode(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return line.sha256


def chained(before: str, deed: Deed) -> Line:
    """The line that comes after the one with the hash `before`."""
    return Line(deed, before, _hash(before, deed))


def check(raw: Sequence[bytes]) -> Checked:
    """Read lines, and follow the chain from the first to the last."""
    deeds = []
    faults = []
    before = START
    for place, (text, line) in enumerate(zip(raw, map(_read, raw), strict=True), start=1):
        faults += [f"line {place}: {fault}" for fault in _faults(text, line, before)]
        if line is not None:
            deeds.append(line.deed)
        before = _name(text, line)
    return Checked(deeds, faults, before)


def hashes(raw: Sequence[bytes]) -> list[str]:
    """The hash of each line."""
    return [_name(text, _read(text)) for text in raw]


def _faults(text: bytes, line: Line | None, before: str) -> Iterator[str]:
    if line is None:
        yield "is no line of a trail"
        return
    # Also what was put into the line and means nothing to us.
    if line.sha256 != _hash(line.before, line.deed) or text != msgspec.json.encode(line):
        yield "was changed: it does not give its hash"
    if line.before != before:
        yield f"follows {line.before[:12]}, before it stands {before[:12]}"


def _head(raw: Sequence[bytes]) -> str:
    return _name(raw[-1], _read(raw[-1])) if raw else START


def _name(text: bytes, line: Line | None) -> str:
    return hashlib.sha256(text).hexdigest() if line is None else line.sha256


def _read(text: bytes) -> Line | None:
    try:
        return msgspec.json.decode(text, type=Line)
    except msgspec.MsgspecError:
        return None


def _hash(before: str, deed: Deed) -> str:
    return hashlib.sha256(before.encode() + b"\n" + msgspec.json.encode(deed)).hexdigest()
