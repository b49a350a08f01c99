"""What was erased is in no snapshot any more, and what is left never passes for what it was."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from offline import snapshot, snapshot_erase
from offline.__main__ import main
from offline.snapshot import DESCRIPTION, Origin, Request, SnapshotRefused
from tests import sales

REQUEST = Request("train", sales.ENDED_MS, Origin("file", "events.jsonl"), "by a test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return snapshot.make(tmp_path / sales.MARKET, sales.rows(), REQUEST)[0]


def listings(folder: Path) -> list[str]:
    found: list[str] = snapshot.columns(folder)[1]["listing_id"].tolist()
    return found


def snapshots(root: Path) -> list[Path]:
    return [path.parent for path in root.rglob(DESCRIPTION)]


def test_what_is_left_is_a_snapshot_of_its_own_without_the_listing(
    tmp_path: Path, folder: Path
) -> None:
    before, (first, *others) = snapshot.describe(folder), listings(folder)

    (reached,) = snapshot_erase.erase(tmp_path, [first])

    (left,) = snapshots(tmp_path)
    made = snapshot.verify(left)
    assert (reached.instead, reached.rows_erased, reached.rows_left) == (str(left), 1, len(others))
    assert listings(left) == others
    assert made.data_sha256 != before.data_sha256
    assert made.version != before.version
    assert before.data_sha256 in made.request.made_by
    assert {line.rule: line.dropped for line in made.accounts}["row:erased"] == 1


def test_a_second_time_nothing_is_left_to_erase(tmp_path: Path, folder: Path) -> None:
    first = listings(folder)[0]
    snapshot_erase.erase(tmp_path, [first])
    left = snapshots(tmp_path)

    assert snapshot_erase.erase(tmp_path, [first]) == []
    assert snapshots(tmp_path) == left


def test_a_dry_run_tells_the_same_and_changes_nothing(tmp_path: Path, folder: Path) -> None:
    first = listings(folder)[0]
    content = {path: path.read_bytes() for path in folder.iterdir()}

    (told,) = snapshot_erase.erase(tmp_path, [first], dry_run=True)

    assert {path: path.read_bytes() for path in folder.iterdir()} == content
    (done,) = snapshot_erase.erase(tmp_path, [first])
    assert (told.rows_erased, told.rows_left) == (done.rows_erased, done.rows_left)


def test_of_which_all_rows_go_nothing_is_left(tmp_path: Path, folder: Path) -> None:
    (reached,) = snapshot_erase.erase(tmp_path, listings(folder))

    assert (reached.rows_left, reached.instead) == (0, None)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_one_of_other_features_goes_whole(tmp_path: Path, folder: Path) -> None:
    described = json.loads((folder / DESCRIPTION).read_text("utf-8"))
    (folder / DESCRIPTION).write_text(json.dumps({**described, "feature_set": "older"}), "utf-8")

    (reached,) = snapshot_erase.erase(tmp_path, [listings(folder)[0]])

    assert (reached.rows_left, snapshots(tmp_path)) == (0, [])


def test_one_that_does_not_hold_it_is_left_as_it_is(tmp_path: Path, folder: Path) -> None:
    rows = sales.rows()
    other = snapshot.make(tmp_path / "other", rows.take(np.arange(len(rows)) > 0), REQUEST)[0]
    times = {path: path.stat().st_mtime_ns for path in other.iterdir()}

    (reached,) = snapshot_erase.erase(tmp_path, [listings(folder)[0]])

    assert reached.snapshot == str(folder)
    assert {path: path.stat().st_mtime_ns for path in other.iterdir()} == times


def stands_yet(old: Path, folder: Path) -> None:
    """It ended when what is left was made, and the old one stood yet."""
    old.rename(folder)


def half_gone(old: Path, folder: Path) -> None:
    """It ended while the old one went."""
    (old / DESCRIPTION).unlink()
    old.rename(folder.with_name(f".erased-{folder.name}"))


def never_made(old: Path, folder: Path) -> None:
    """One that was being made was killed."""
    old.rename(folder.with_name(".making-x"))


@pytest.mark.parametrize("ended", [stands_yet, half_gone, never_made])
def test_what_a_killed_run_leaves_is_ended_by_the_next(
    tmp_path: Path, folder: Path, ended: Callable[[Path, Path], None]
) -> None:
    first = listings(folder)[0]
    old = Path(shutil.copytree(folder, tmp_path / ".old"))
    snapshot_erase.erase(tmp_path, [first])
    left = snapshots(tmp_path / sales.MARKET)
    ended(old, folder)
    hidden = snapshot_erase.left_over(tmp_path / sales.MARKET)

    assert bool(snapshot_erase.erase(tmp_path, [first], dry_run=True)) != bool(hidden)
    snapshot_erase.erase(tmp_path, [first])

    assert list((tmp_path / sales.MARKET).iterdir()) == left
    assert first not in listings(left[0])


def test_a_broken_one_is_named_and_holds_up_no_other(tmp_path: Path, folder: Path) -> None:
    first = listings(folder)[0]
    broken = snapshot.make(tmp_path / "a", sales.rows(), REQUEST)[0]
    (broken / "part-00000.parquet").write_bytes(b"")

    with pytest.raises(SnapshotRefused, match=str(broken)):
        snapshot_erase.erase(tmp_path, [first])

    assert not folder.exists()


def test_a_folder_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["snapshot", "erase", "l-1", "--below", str(tmp_path / "none")]) == 2
    assert f"{tmp_path}/none: no such folder" in capsys.readouterr().err


def test_the_command_tells_what_went(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = listings(folder)[0]

    assert main(["snapshot", "erase", first, "--below", str(tmp_path), "--json"]) == 0

    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (said["rows_erased"], said["snapshots"][0]["snapshot"]) == (1, str(folder))
