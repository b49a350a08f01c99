"""A position is kept whole, and only for the replay that it belongs to."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from producers import checkpoint
from producers.checkpoint import BadCheckpoint, Checkpoint, Replay, SourceFile, load, save
from producers.selection import Selection

REPLAY = Replay(
    source="hdb",
    files=(SourceFile("a.csv", "0" * 64),),
    seed=0,
    from_ms=None,
    to_ms=1,
    topic="housing.events",
    topic_id="t-1",
)


def test_without_a_file_a_replay_begins_at_the_beginning(tmp_path: Path) -> None:
    assert load(tmp_path / "none", REPLAY) == 0


def test_a_saved_position_comes_back_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"

    save(path, Checkpoint(replay=REPLAY, position=1))
    save(path, Checkpoint(replay=REPLAY, position=7))

    assert load(path, REPLAY) == 7
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"source": "king-county"}, "source is hdb, here it is king-county"),
        ({"files": (SourceFile("a.csv", "1" * 64),)}, r"files is a.csv \(0{12}\), .* \(1{12}\)"),
        ({"seed": 3}, "seed is 0, here it is 3"),
        ({"from_ms": 5}, "from_ms is None, here it is 5"),
        ({"topic": "test.events"}, "topic is housing.events, here it is test.events"),
        ({"topic_id": "t-2"}, "topic_id is t-1, here it is t-2"),
    ],
    ids=["source", "content", "seed", "range", "topic", "recreated topic"],
)
def test_a_checkpoint_of_another_replay_is_refused(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    path = tmp_path / "checkpoint"
    save(path, Checkpoint(replay=REPLAY, position=7))

    with pytest.raises(BadCheckpoint, match=f"is of another replay: its {told}"):
        load(path, msgspec.structs.replace(REPLAY, **change))


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"position=3"])
def test_what_is_no_checkpoint_is_refused_and_not_overwritten(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "checkpoint"
    path.write_bytes(content)

    with pytest.raises(BadCheckpoint, match="is no checkpoint of a replay"):
        load(path, REPLAY)
    assert path.read_bytes() == content


def test_a_replay_is_named_by_what_its_files_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    chosen = Selection(source="hdb", paths=(path,), seed=0)

    path.write_text("one")
    first = checkpoint.replay_of(chosen, "housing.events", "t-1")
    path.write_text("two")
    second = checkpoint.replay_of(chosen, "housing.events", "t-1")

    assert first != second
    assert first.files[0].name == "a.csv"
