"""Nothing of an erased listing is left in the archive, wherever the eraser dies; all else stays."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from monitoring import chain, erasures, rewrite
from monitoring.erasures import Erased
from monitoring.rewrite import Busy
from monitoring.tables import LAYOUTS, Layout, Taken
from stream_app.contract import wire
from stream_app.contract.topics import (
    EVENTS,
    OUTCOMES,
    PREDICTIONS,
    REJECTS,
    SHADOW,
    Topic,
    full_name,
)
from tests import builders, messages
from tests.unit.monitoring import archives
from tests.unit.monitoring.archives import PREFIX, put

GONE, STAYS = "kc-gone", "kc-stays"
BY_NAME: Mapping[str, Layout[Any]] = {full_name(PREFIX, each.topic): each for each in LAYOUTS}
REGION = builders.REGION.encode()
# The archiver's steps of one rewrite, and which time they are reached.
DEATHS = [(step, times) for step in ("intent", "file", "data", "publish") for times in (1, 3)]

Rows = dict[str, list[tuple[int, str]]]  # topic -> offset and all that the row says
Erase = Callable[[Path, Callable[[str], None]], None]


class Died(Exception):
    """Stands for SIGKILL."""


def erasure(**changes: object) -> bytes:
    return wire.encode(builders.erasure(listing_id=GONE, **changes))


def fill(root: Path) -> None:
    """Put both listings into every topic that knows listings, then the erasure of one."""
    sent = [wire.encode(builders.listing(listing_id=each)) for each in (GONE, STAYS)]
    refused = b'{"listing_id":"kc-gone","area_m2":"big","market":"nowhere"}'
    put(root, EVENTS, [*sent, refused, b"\xff"], key=REGION)
    put(root, REJECTS, [refused, b'{"listing_id":["kc-gone"]}', b"\xff", None])
    for topic, message in (
        (PREDICTIONS, messages.prediction),
        (SHADOW, messages.prediction),
        (OUTCOMES, messages.outcome),
    ):
        put(root, topic, [wire.encode(message(listing_id=each)) for each in (GONE, STAYS, GONE)])
    put(root, SHADOW, [wire.encode(messages.prediction(listing_id=STAYS))])
    put(root, PREDICTIONS, [None], key=GONE.encode())  # the scorer's tombstone
    put(root, EVENTS, [erasure()], key=REGION)


def erase(root: Path, reached: Callable[[str], None] = chain.nothing) -> None:
    for _ in erasures.erase(root, BY_NAME, Erased(root).pending(lambda _: True), reached):
        pass


def rows(root: Path) -> Rows:
    """Read all that the manifests name."""
    return {
        name: [
            (row["offset"], str(row))
            for manifest in chain.manifests(root, name)
            for file in manifest.files
            for row in pq.read_table(root / file.path).to_pylist()
        ]
        for name in BY_NAME
    }


def dies_at(step: str, times: int) -> Callable[[str], None]:
    seen = 0

    def reached(now: str) -> None:
        nonlocal seen
        seen += now == step
        if now == step and seen == times:
            raise Died

    return reached


def check_erased(root: Path, run: Erase) -> None:
    """After `run` nothing of the listing is left, in no file, and all else is as it was."""
    before = rows(root)
    run(root, chain.nothing)

    after = rows(root)
    kept_erasure = before[full_name(PREFIX, EVENTS)][-1][1]
    expected = {
        name: [row for row in listed if is_left(row[1], kept_erasure)]
        for name, listed in before.items()
    }
    assert after == expected
    named = {
        root / f.path for name in BY_NAME for m in chain.manifests(root, name) for f in m.files
    }
    assert set(root.rglob("*.parquet")) == named, "a file is left that no manifest names"
    for name in BY_NAME:
        assert [m.rows for m in chain.manifests(root, name)] == [
            sum(file.rows for file in m.files) for m in chain.manifests(root, name)
        ]


def is_left(row: str, kept_erasure: str) -> bool:
    """An erasure holds the id alone; a list is no listing id, so such bytes name nobody."""
    return GONE not in row or row == kept_erasure or '["kc-gone"]' in row


@pytest.mark.parametrize(("step", "times"), DEATHS)
def test_an_eraser_that_dies_is_finished_by_the_next_one(
    tmp_path: Path, step: str, times: int
) -> None:
    fill(tmp_path)

    def dies_and_is_followed(root: Path, _: Callable[[str], None]) -> None:
        with pytest.raises(Died):
            erase(root, dies_at(step, times))
        erase(root)

    check_erased(tmp_path, dies_and_is_followed)


def test_an_erasure_done_twice_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path)
    erase(tmp_path)
    once = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}

    assert Erased(tmp_path).pending(lambda _: True) == []
    erase(tmp_path)

    assert {p: p.read_bytes() for p in tmp_path.rglob("*.*") if p.is_file()} == once


def test_the_law_catches_an_eraser_that_leaves_the_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path)
    monkeypatch.setattr(chain, "clean", lambda *_: 0)

    with pytest.raises(AssertionError, match="no manifest names"):
        check_erased(tmp_path, erase)


def test_the_law_catches_an_eraser_that_forgets_a_topic(tmp_path: Path) -> None:
    fill(tmp_path)

    def without_rejects(root: Path, reached: Callable[[str], None]) -> None:
        layouts = {name: each for name, each in BY_NAME.items() if each.topic != REJECTS}
        for _ in erasures.erase(root, layouts, Erased(root).pending(lambda _: True), reached):
            pass

    with pytest.raises(AssertionError):
        check_erased(tmp_path, without_rejects)


def test_a_manifest_tells_which_offsets_were_erased_and_which_file_went(tmp_path: Path) -> None:
    fill(tmp_path)

    erase(tmp_path)

    (manifest,) = chain.manifests(tmp_path, full_name(PREFIX, OUTCOMES))
    assert (manifest.erased, manifest.rows) == ((0, 2), 1)
    assert (manifest.first_offset, manifest.next_offset) == (0, 3)
    assert [(gone.why, gone.rows) for gone in manifest.gone] == [("erased", 3)]


@pytest.mark.parametrize("topic", [PREDICTIONS, OUTCOMES, EVENTS], ids=lambda topic: topic.name)
def test_what_comes_after_the_erasure_does_not_get_in(tmp_path: Path, topic: Topic) -> None:
    put(tmp_path, EVENTS, [erasure()], key=REGION)
    late = {
        PREDICTIONS.name: messages.prediction(listing_id=GONE),
        OUTCOMES.name: messages.outcome(listing_id=GONE),
        EVENTS.name: builders.sale(listing_id=GONE),
    }

    put(tmp_path, topic, [wire.encode(late[topic.name])])

    *_, manifest = chain.manifests(tmp_path, full_name(PREFIX, topic))
    assert (manifest.rows, manifest.files, len(manifest.erased)) == (0, (), 1)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (erasure(market="nowhere"), REGION),
        (erasure(), b"kc-98103"),
        (erasure(event_time_ms=archives.APPENDED_MS * 2), REGION),
        (b'{"kind":"erasure","listing_id":"kc-gone"}', REGION),
        (wire.encode(builders.sale(listing_id=GONE)), REGION),
        (None, REGION),
    ],
    ids=["no market of ours", "foreign key", "future", "incomplete", "a sale", "tombstone"],
)
def test_what_the_scorer_would_refuse_erases_nothing(value: bytes | None, key: bytes) -> None:
    assert erasures.listing_of(Taken(0, 5, archives.APPENDED_MS, key, value)) is None


def test_an_erasure_waits_while_somebody_publishes(tmp_path: Path) -> None:
    fill(tmp_path)
    steps = erasures.erase(tmp_path, BY_NAME, Erased(tmp_path).pending(lambda _: True))
    before = rows(tmp_path)

    with rewrite.publishing(tmp_path):
        for _ in range(5):
            next(steps)
        assert rows(tmp_path) == before
        with pytest.raises(Busy, match="an archiver held it"), rewrite.rewriting(tmp_path):
            pass
    for _ in steps:
        pass

    assert rows(tmp_path) != before


def test_publishers_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with rewrite.publishing(tmp_path), rewrite.publishing(tmp_path):
        pass


def test_a_rewrite_torn_while_it_was_staged_is_swept(tmp_path: Path) -> None:
    fill(tmp_path)
    before = rows(tmp_path)
    torn = tmp_path / rewrite.REWRITES / "00000-0.json.torn"
    torn.parent.mkdir()
    torn.write_bytes(b'{"topic":')

    with rewrite.rewriting(tmp_path):
        pass

    assert not torn.exists()
    assert rows(tmp_path) == before
