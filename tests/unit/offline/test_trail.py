"""Whatever is done to a trail but adding to it is found, line by line."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from offline import trail
from offline.trail import Deed, State


def deed(version: str = "c1", state: State = State.DONE) -> Deed:
    return Deed(
        at_ms=1, by="anna", action="promote", state=state, market="hdb", version=version, reason="r"
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "var" / "trail.jsonl"
    for version in ("c1", "c2", "c3", "c4"):
        trail.append(path, deed(version))
    return path


def faults(path: Path) -> list[str]:
    return trail.check(path.read_bytes().splitlines()).faults


def test_what_is_added_is_read_in_order(path: Path) -> None:
    found = trail.check(path.read_bytes().splitlines())

    assert [d.version for d in found.deeds] == ["c1", "c2", "c3", "c4"]
    assert found.faults == []
    assert trail.append(path, deed()) == trail.chained(found.head, deed()).sha256


def other_words(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b"anna", b"otto"), *lines[2:]]


def other_words_with_their_hash(lines: list[bytes]) -> list[bytes]:
    line = msgspec.json.decode(lines[1], type=trail.Line)
    return [lines[0], msgspec.json.encode(trail.chained(line.before, deed("c9"))), *lines[2:]]


def last_words(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-1], lines[-1].replace(b"anna", b"otto")]


def more_words(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b'"by":', b'"note":"harmless","by":'), *lines[1:]]


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (other_words, "line 2: was changed: it does not give its hash"),
        (other_words_with_their_hash, "line 3: follows"),
        (last_words, "line 4: was changed"),
        (more_words, "line 1: was changed"),
        (lambda lines: [lines[0], *lines[2:]], "line 2: follows"),
        (lambda lines: lines[1:], "line 1: follows"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 1: follows"),
        (lambda lines: [*lines[:2], b'{"note": 1}', *lines[2:]], "line 3: is no line of a trail"),
    ],
    ids=[
        "changed",
        "hashed anew",
        "the last",
        "added to",
        "taken out",
        "cut off in front",
        "swapped",
        "put in",
    ],
)
def test_who_changes_a_line_is_found(
    path: Path, tamper: Callable[[list[bytes]], list[bytes]], says: str
) -> None:
    path.write_bytes(b"\n".join(tamper(path.read_bytes().splitlines())))

    assert faults(path)[0].startswith(says)


def test_a_cut_at_the_end_shows_to_who_noted_the_head(path: Path) -> None:
    lines = path.read_bytes().splitlines()
    head = trail.check(lines).head

    assert head in trail.hashes(lines)
    assert head not in trail.hashes(lines[:-1])


def test_half_a_line_stays_and_is_told_of_and_the_next_one_counts(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"deed":{"at_')

    trail.append(path, deed("c5"))

    assert faults(path) == ["line 5: is no line of a trail"]
    assert trail.check(path.read_bytes().splitlines()).deeds[-1].version == "c5"
