"""Ranges of one partition never overlap and leave no hole, whoever writes or dies."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring import chain
from monitoring.chain import RangeTaken, Source
from stream_app.contract import wire
from stream_app.contract.archive import MANIFESTS, ArchiveFile, ArchiveManifest, manifest_name
from tests import messages

SOURCE = Source("housing.outcomes", "t-1", 2)
STEPS = ("intent", "file", "data", "publish")

Publish = Callable[[Path, ArchiveManifest, dict[str, bytes], str, Callable[[str], None]], None]


class Died(Exception):
    """Stands for SIGKILL."""


class Attempt(NamedTuple):
    """One archiver's try to publish the next `length` records, and who disturbs it when."""

    length: int
    step: str
    rival_length: int  # 0: nobody else writes
    dies: bool


ATTEMPTS = st.lists(
    st.builds(Attempt, st.integers(1, 4), st.sampled_from(STEPS), st.integers(0, 4), st.booleans()),
    min_size=1,
    max_size=6,
)


def made(first_offset: int, length: int, token: str) -> tuple[ArchiveManifest, dict[str, bytes]]:
    """Make a range of two files; a file's content is the offsets it holds, one byte each."""
    offsets = bytes(range(first_offset, first_offset + length))
    halves = {f"data/{token}-0": offsets[: length // 2], f"data/{token}-1": offsets[length // 2 :]}
    manifest = messages.archive_manifest(
        **SOURCE._asdict(),
        first_offset=first_offset,
        next_offset=first_offset + length,
        rows=length,
        files=tuple(described(path, content) for path, content in halves.items()),
    )
    return manifest, halves


def described(path: str, content: bytes) -> ArchiveFile:
    return ArchiveFile(
        path=path,
        layout="message",
        market="king-county",
        rows=len(content),
        size_bytes=len(content),
        sha256="",
        event_from_ms=0,
        event_to_ms=0,
    )


def held(root: Path) -> list[int]:
    """Read all offsets that the archive holds, in the order of its manifests."""
    manifests = chain.manifests(root, SOURCE.topic)
    return [n for m in manifests for file in m.files for n in (root / file.path).read_bytes()]


def put(root: Path, length: int, token: str, publish: Publish = chain.publish) -> None:
    publish(root, *made(chain.end(root, SOURCE), length, token), token, chain.nothing)


def attempt(root: Path, tried: Attempt, token: str, publish: Publish) -> None:
    """Publish once; at the given step a rival may publish and sweep, and the writer may die."""

    disturbed = False

    def disturb(step: str) -> None:
        nonlocal disturbed
        if disturbed or step != tried.step:
            return
        disturbed = True
        if tried.rival_length:
            put(root, tried.rival_length, f"{token}r", publish)
            chain.sweep(root, SOURCE)
        if tried.dies:
            raise Died

    try:
        publish(root, *made(chain.end(root, SOURCE), tried.length, token), token, disturb)
    except (Died, RangeTaken):
        return


def check_law(publish: Publish) -> None:
    @settings(
        derandomize=True, database=None, deadline=None, max_examples=25, report_multiple_bugs=False
    )
    @given(ATTEMPTS)
    def every_offset_is_held_once(attempts: list[Attempt]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for number, tried in enumerate(attempts):
                attempt(root, tried, str(number), publish)
            put(root, 1, "last", publish)
            chain.sweep(root, SOURCE)

            assert held(root) == list(range(chain.end(root, SOURCE)))
            named = {f.path for m in chain.manifests(root, SOURCE.topic) for f in m.files}
            assert {str(p.relative_to(root)) for p in (root / "data").iterdir()} == named
            assert not any(p.is_file() for p in (root / chain.STAGING).rglob("*"))

    every_offset_is_held_once()


def overwriting_publish(
    root: Path,
    manifest: ArchiveManifest,
    contents: dict[str, bytes],
    token: str,
    reached: Callable[[str], None],
) -> None:
    """Planted: the last one to write a manifest wins."""
    name = manifest_name(manifest.partition, manifest.first_offset)
    published = root / MANIFESTS / SOURCE.topic / SOURCE.topic_id / name

    def late(step: str) -> None:
        reached(step)
        if step == "data":
            published.unlink(missing_ok=True)

    chain.publish(root, manifest, contents, token, late)


def test_every_offset_is_held_once() -> None:
    check_law(chain.publish)


def test_law_catches_a_manifest_that_is_written_over() -> None:
    with pytest.raises(AssertionError):
        check_law(overwriting_publish)


def test_an_empty_archive_begins_at_zero(tmp_path: Path) -> None:
    assert chain.end(tmp_path, SOURCE) == 0


def test_a_topic_that_was_recreated_begins_a_chain_of_its_own(tmp_path: Path) -> None:
    put(tmp_path, 5, "a")

    assert chain.end(tmp_path, SOURCE._replace(topic_id="t-2")) == 0


def test_partitions_do_not_see_each_other(tmp_path: Path) -> None:
    put(tmp_path, 5, "a")

    assert chain.end(tmp_path, SOURCE._replace(partition=22)) == 0


def test_the_second_range_that_begins_at_an_offset_fails_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    put(tmp_path, 3, "winner")

    with pytest.raises(RangeTaken, match=r"housing\.outcomes\[2\]@0"):
        chain.publish(tmp_path, *made(0, 4, "loser"), "loser")

    assert held(tmp_path) == [0, 1, 2]
    assert not list(tmp_path.rglob("*loser*"))


def test_files_that_no_manifest_names_are_not_read(tmp_path: Path) -> None:
    put(tmp_path, 2, "a")
    attempt(tmp_path, Attempt(3, "data", 0, dies=True), "dead", chain.publish)

    assert held(tmp_path) == [0, 1]
    assert (tmp_path / "data" / "dead-0").exists()


def test_a_sleeper_at_the_end_of_the_chain_is_not_swept_for_it_may_still_win(
    tmp_path: Path,
) -> None:
    def sweep_at_data(step: str) -> None:
        if step == "data":
            assert chain.sweep(tmp_path, SOURCE) == 0

    chain.publish(tmp_path, *made(0, 4, "slow"), "slow", sweep_at_data)

    assert held(tmp_path) == [0, 1, 2, 3]


def test_an_intent_torn_by_a_crash_is_swept(tmp_path: Path) -> None:
    put(tmp_path, 2, "a")
    staging = tmp_path / chain.STAGING / SOURCE.topic / SOURCE.topic_id
    torn = staging / f"{manifest_name(2, 0)}.torn"
    torn.write_bytes(wire.encode(made(0, 2, "torn")[0])[:50])

    chain.sweep(tmp_path, SOURCE)

    assert not torn.exists()


def test_a_full_disk_publishes_nothing(tmp_path: Path) -> None:
    readonly = tmp_path / "data"
    readonly.mkdir()
    (readonly / "x-0").mkdir()  # the file cannot be made

    with pytest.raises(OSError, match="x-0"):
        chain.publish(tmp_path, *made(0, 4, "x"), "x")

    assert chain.end(tmp_path, SOURCE) == 0
