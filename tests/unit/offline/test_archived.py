"""The archive gives the log that the topic gives, or says why it cannot."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from offline import archived, dataset
from offline.log import LogUnreadable
from stream_app.contract import wire
from stream_app.contract.archive import ArchiveManifest, GoneFile
from stream_app.contract.models import Activated, Policy
from stream_app.contract.topics import ACTIVATIONS, EVENTS
from stream_app.stages.step import Record
from tests import sales, told

GIVEN = sales.events(60)
PARTITIONS = 4
PRUNED = GoneFile(path="d/x.parquet", rows=7, why="pruned", gone_ms=0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for partition, records in enumerate(told.dealt(GIVEN, PARTITIONS)):
        told.archive(tmp_path, EVENTS, partition, records, size=25)
    return tmp_path


def change_first(root: Path, **changes: object) -> None:
    """Rewrite the manifest of the first range of a partition that has two."""
    path = min(path.with_name(f"{path.name[:5]}-{0:020d}.json") for path in _later(root))
    manifest = wire.decode_archive_manifest(path.read_bytes())
    path.write_bytes(wire.encode(msgspec.structs.replace(manifest, **changes)))


def _later(root: Path) -> list[Path]:
    return list((root / "manifests").glob(f"*/*/*{25:020d}.json"))


def test_the_archive_gives_the_same_data_set_as_the_topic(root: Path) -> None:
    from_topic = dataset.collect(told.parted(GIVEN, PARTITIONS), sales.MARKET, sales.ENDED_MS)

    from_archive = dataset.collect(
        archived.of_archive(root, told.PREFIX), sales.MARKET, sales.ENDED_MS
    )

    assert len(from_archive) == 60
    assert dataset.sha256(from_archive) == dataset.sha256(from_topic)
    assert from_archive.counts == from_topic.counts
    assert from_archive.read == tuple(read for read in from_topic.read if read.records)


def test_policies_come_from_the_archived_activations(root: Path) -> None:
    policy = Policy(listing_late_h=3)
    records = [
        Record(n, b"0", wire.encode(Activated(
            partition=0, from_offset=10 * n, market=sales.MARKET, champion=None, corrector=None,
            policy=policy if n else Policy(),
        )), 0)
        for n in (0, 1)
    ]  # fmt: skip
    number = archived.of_archive(root, told.PREFIX)[0].number
    told.archive(root, ACTIVATIONS, number, records)

    first = archived.of_archive(root, told.PREFIX)[0]

    assert [line.policies[sales.MARKET] for line in first.lines][9:11] == [Policy(), policy]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"lost_to_offset": 5}, r"offsets 0 to 4 had been deleted before they were archived"),
        ({"next_offset": 20}, "no manifest holds offsets 20 to 24"),
        ({"next_offset": 30}, "two manifests hold offset 25"),
        ({"gone": (PRUNED,)}, "7 records from offset 0 on went with an old day: d/x.parquet"),
        ({"rows": 20}, "files of 20 rows are named .* and hold 25"),
    ],
    ids=["lost", "hole", "overlap", "pruned", "rows"],
)
def test_an_archive_that_is_not_whole_is_refused(
    root: Path, changes: dict[str, object], says: str
) -> None:
    change_first(root, **changes)

    with pytest.raises(LogUnreadable, match=says):
        archived.of_archive(root, told.PREFIX)


def spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize(
    ("harm", "glob", "says"),
    [
        (Path.unlink, "housing.events/**/*.parquet", "No such file"),
        (spoil, "housing.events/**/*.parquet", "is not what its manifest names"),
        (spoil, "manifests/**/*.json", "JSON is malformed"),
        (Path.unlink, f"manifests/**/*{0:020d}.json", "no manifest holds offsets 0 to 24"),
    ],
    ids=["no file", "another file", "no manifest", "first manifest gone"],
)
def test_what_is_not_as_it_was_written_is_refused(
    root: Path, harm: Callable[[Path], None], glob: str, says: str
) -> None:
    harm(min(root.glob(glob)))

    with pytest.raises(LogUnreadable, match=says):
        archived.of_archive(root, told.PREFIX)


def test_a_topic_made_anew_must_be_named(root: Path) -> None:
    folder = root / "manifests" / "housing.events"
    (folder / "t-2").mkdir()
    (folder / "t-2" / f"00000-{0:020d}.json").touch()

    with pytest.raises(LogUnreadable, match=r"its ids are t-1, t-2; say which with archive:ID"):
        archived.of_archive(root, told.PREFIX)
    assert archived.of_archive(root, told.PREFIX, "t-1")


def test_nothing_archived_is_told(tmp_path: Path) -> None:
    with pytest.raises(LogUnreadable, match=r"nothing of housing\.events .*is archived there"):
        archived.of_archive(tmp_path, told.PREFIX)


def test_ranges_that_follow_on_each_other_are_whole() -> None:
    ranges = [
        ArchiveManifest(
            topic="t", topic_id="i", partition=0, first_offset=first, next_offset=first + 10,
            lost_to_offset=first, rows=0, files=(), made_ms=0,
        )
        for first in (0, 10, 20)
    ]  # fmt: skip

    archived.refuse_holes(ranges)
