"""A snapshot is the data set, to the bit; the same rows are the same version; no byte may change."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from offline import dataset, snapshot, snapshot_compare, splits
from offline.dataset import Dataset
from offline.snapshot import Origin, Request, SnapshotRefused
from stream_app.core.features import NAMES
from tests import builders, sales, told

REQUEST = Request("train", sales.ENDED_MS, Origin("file", "events.jsonl"), "by a test")


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return sales.rows()


@pytest.fixture
def folder(tmp_path: Path, rows: Dataset) -> Path:
    return snapshot.make(tmp_path, rows, REQUEST)[0]


def test_what_is_read_back_is_what_was_kept_to_the_bit(folder: Path, rows: Dataset) -> None:
    made, read = snapshot.load(folder)

    for name, column in vars(rows).items():
        kept = getattr(read, name)
        same = column.tobytes() == kept.tobytes() if isinstance(column, np.ndarray) else False
        assert same or column == kept, name
    assert made.data_sha256 == dataset.sha256(read) == dataset.sha256(rows)


@pytest.mark.parametrize(("partitions", "processes"), [(1, 1), (4, 1), (4, 2)])
def test_the_same_rows_are_the_same_version_however_they_were_replayed(
    tmp_path: Path, partitions: int, processes: int
) -> None:
    given = sales.events(60)
    one = dataset.collect([sales.partition(given)], sales.MARKET, sales.ENDED_MS)

    data = dataset.collect(
        told.parted(given, partitions), sales.MARKET, sales.ENDED_MS, processes=processes
    )

    version = snapshot.make(tmp_path, data, REQUEST)[0].name
    assert version == snapshot.make(tmp_path / "one", one, REQUEST)[0].name
    assert version.startswith("train_")
    assert version.endswith("_20150531T000000Z")


@pytest.mark.parametrize(
    "column", ["area_m2", "naive_log", "region", "property_type", "home_id", "source", "rows"]
)
def test_any_other_value_is_another_version(rows: Dataset, column: str) -> None:
    few = rows.take(np.arange(len(rows)) < 3)
    changed = getattr(few, column).copy()
    changed.flat[-1] = "other" if changed.dtype.kind == "U" else np.nextafter(1.0, 2.0)

    other = snapshot.content_sha256(replace(few, **{column: changed}))

    assert other != snapshot.content_sha256(few)


def test_kept_twice_is_kept_once(folder: Path, rows: Dataset) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}

    again, new = snapshot.make(folder.parent, rows, REQUEST)

    assert (again, new) == (folder, False)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_what_it_holds_is_described(folder: Path, rows: Dataset) -> None:
    made = snapshot.describe(folder)

    assert made.rows == len(rows) == made.accounts[-1].after
    assert [c.name for c in made.columns][: len(NAMES)] == list(NAMES)
    assert {c.name: c.unit for c in made.columns}["log_price"] == "log USD"
    (told_by,) = made.sources.values()
    assert (list(made.sources), told_by.rows) == ([builders.SOURCE], len(rows))
    assert abs(told_by.shift_log or 1.0) < 0.1
    assert (made.read[0].first_offset, made.read[0].end_offset) == (0, 2 * sales.HOMES)


def test_many_rows_are_several_parts(
    tmp_path: Path, rows: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "PART_ROWS", 500)

    folder = snapshot.make(tmp_path, rows, REQUEST)[0]

    assert [part.rows for part in snapshot.describe(folder).parts] == [500, 500, 200]
    assert len(snapshot.load(folder)[1]) == len(rows)


def cut_short(folder: Path) -> None:
    part = folder / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-1])


def tamper(folder: Path) -> None:
    part = folder / "part-00000.parquet"
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)


def swap(folder: Path) -> None:
    """Other rows, with a description of them that keeps the content's hash."""
    data = sales.rows()
    other = snapshot.make(folder.parent / "x", data.take(data.sold_ms > 0 * 1), REQUEST)[0]
    few = snapshot.make(folder.parent / "y", data.take(np.arange(len(data)) > 0), REQUEST)[0]
    said = json.loads((few / snapshot.DESCRIPTION).read_text())
    said["content_sha256"] = snapshot.describe(other).content_sha256
    (folder / snapshot.DESCRIPTION).write_text(json.dumps(said))
    (folder / "part-00000.parquet").write_bytes((few / "part-00000.parquet").read_bytes())


def of_other_features(folder: Path) -> None:
    path = folder / snapshot.DESCRIPTION
    said = json.loads(path.read_text()) | {"feature_set": "older"}
    path.write_text(json.dumps(said))


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (cut_short, r"part-00000\.parquet: has \d+ bytes, was written \d+"),
        (tamper, r"part-00000\.parquet: was changed since it was written"),
        (lambda folder: (folder / "part-00000.parquet").unlink(), "No such file"),
        (lambda folder: (folder / "snapshot.json").unlink(), r"snapshot\.json: No such file"),
        (lambda folder: (folder / "snapshot.json").write_text("{}"), "is no description"),
        (swap, r"its rows are not those that snapshot\.json is of"),
        (of_other_features, "was made with feature set older, this program has"),
    ],
    ids=["cut short", "one bit", "no part", "no description", "empty", "swapped", "other features"],
)
def test_what_is_not_what_it_says_is_refused(
    folder: Path, harm: Callable[[Path], None], says: str
) -> None:
    harm(folder)

    with pytest.raises(SnapshotRefused, match=says):
        snapshot.load(folder)


def test_no_rows_are_nothing_to_keep(tmp_path: Path, rows: Dataset) -> None:
    with pytest.raises(SnapshotRefused, match="no home was sold"):
        snapshot.make(tmp_path, rows.take(rows.sold_ms < 0), REQUEST)


def compared(tmp_path: Path, one: Dataset, other: Dataset) -> snapshot_compare.Comparison:
    first, second = (
        snapshot.make(tmp_path / str(n), data, REQUEST)[0] for n, data in enumerate((one, other))
    )
    return snapshot_compare.compare(snapshot.columns(first), snapshot.columns(second), (one, other))


def test_two_snapshots_differ_in_what_was_added_taken_away_and_changed(
    tmp_path: Path, rows: Dataset
) -> None:
    one = rows.take(np.arange(len(rows)) < 1_000)
    other = rows.take(np.arange(len(rows)) >= 10)
    price = other.log_price.copy()
    price[:3] += 0.01

    found = compared(
        tmp_path, one, replace(other, log_price=price, sale_offset=other.sale_offset + 1)
    )

    assert not found.same_content
    assert (found.added.rows, found.gone.rows, found.changed.rows) == (200, 10, 3)
    assert found.changed_columns == {"log_price": 3}
    assert found.moved == 990
    assert found.gone.examples[0].startswith("kc-")
    assert {shift.feature for shift in found.shifts} >= {"home_log_area", "log_price"}
    assert found.schema == ()


def test_a_snapshot_is_the_same_as_itself(tmp_path: Path, rows: Dataset) -> None:
    found = compared(tmp_path, rows, rows)

    assert found.same_content
    assert (found.added.rows, found.gone.rows, found.changed.rows) == (0, 0, 0)
    assert all(extent.first == extent.second for extent in found.extents)
    assert found.events == {}


def test_the_same_sale_told_twice_is_dropped_and_counted(rows: Dataset) -> None:
    twice = rows.take(np.array([0, 0, 1]))

    clean = splits.without_duplicates(twice)

    assert clean.counts["row:same_sale"] == 1
