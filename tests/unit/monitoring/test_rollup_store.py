"""Daily figures follow the archive: each row is read once, and what must go or stay does."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from monitoring import chain, erasures, retention, rollup, rollup_store
from monitoring.__main__ import main
from monitoring.erasures import Erased
from monitoring.rollup import Days
from monitoring.rollup_store import Rollup, Work
from monitoring.tables import LAYOUTS
from stream_app.contract import wire
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import EVENTS, OUTCOMES, PREDICTIONS, full_name
from tests import builders, flow, messages
from tests.unit.monitoring.archives import APPENDED_MS, PREFIX, put

GONE = "home-3"
LATER_MS = APPENDED_MS + DAY_MS


def refreshed(root: Path, known: Rollup | None = None) -> tuple[Rollup, Work]:
    return rollup_store.refresh(root, PREFIX, Rollup() if known is None else known)


def days(known: Rollup, market: str = flow.MARKET) -> Days:
    return rollup_store.days_of(known, PREFIX, market)


def answers(known: Rollup) -> int:
    return sum(day.counts.get("answer", 0) for day in days(known).values())


def fill(root: Path, first: int = 0, appended_ms: int = APPENDED_MS, topic_id: str = "t-1") -> None:
    pairs = list(flow.pairs(6, first=first))
    put(root, PREDICTIONS, [wire.encode(pair.prediction) for pair in pairs], topic_id, appended_ms)
    put(root, OUTCOMES, [wire.encode(pair.outcome) for pair in pairs], topic_id, appended_ms)


def test_nothing_is_known_of_an_empty_archive(tmp_path: Path) -> None:
    assert refreshed(tmp_path) == (Rollup(), Work())


def test_each_row_is_read_once(tmp_path: Path) -> None:
    fill(tmp_path)
    known, first = refreshed(tmp_path)
    fill(tmp_path, first=6)
    later, second = refreshed(tmp_path, known)

    assert (first.rows, second.rows) == (12, 12)
    assert refreshed(tmp_path, later) == (later, Work())
    assert later == refreshed(tmp_path)[0]


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    fill(tmp_path)
    known, _ = refreshed(tmp_path)

    rollup_store.save(tmp_path, known)

    assert rollup_store.load(tmp_path) == known


def test_a_year_is_told_without_opening_a_row_file(tmp_path: Path) -> None:
    for month in range(12):
        fill(tmp_path, first=6 * month, appended_ms=APPENDED_MS + 30 * month * DAY_MS)
    rollup_store.save(tmp_path, refreshed(tmp_path)[0])
    for file in tmp_path.rglob("*.parquet"):
        file.unlink()

    known, work = refreshed(tmp_path, rollup_store.load(tmp_path))

    assert work == Work()
    assert answers(known) == 72


def test_a_file_that_goes_while_it_is_read_leaves_all_as_it_was(tmp_path: Path) -> None:
    fill(tmp_path)
    next(tmp_path.rglob("*.parquet")).unlink()

    with pytest.raises(FileNotFoundError):
        refreshed(tmp_path)


def erase(root: Path) -> None:
    put(root, EVENTS, [wire.encode(builders.erasure(listing_id=GONE))], key=b"kc-98178")
    layouts = {full_name(PREFIX, each.topic): each for each in LAYOUTS}
    for _ in erasures.erase(root, layouts, Erased(root).pending(lambda _: True)):
        pass


def test_what_was_erased_leaves_the_figures(tmp_path: Path) -> None:
    fill(tmp_path)
    known, _ = refreshed(tmp_path)
    erase(tmp_path)

    later, work = refreshed(tmp_path, known)

    assert (answers(known), answers(later)) == (6, 5)
    assert days(later) == days(refreshed(tmp_path)[0])
    assert work.rows == 11  # the rest of both parts, and the erasure itself
    assert refreshed(tmp_path, later)[1] == Work()


def test_pruned_days_stay_told_and_what_comes_later_is_added(tmp_path: Path) -> None:
    fill(tmp_path)
    known, _ = refreshed(tmp_path)
    retention.prune(tmp_path, [full_name(PREFIX, PREDICTIONS)], "2025-11-22", dry_run=False)
    fill(tmp_path, first=6, appended_ms=LATER_MS)

    assert answers(refreshed(tmp_path, known)[0]) == 12


def test_an_erasure_after_a_prune_leaves_the_sums_of_days_that_are_gone(tmp_path: Path) -> None:
    fill(tmp_path)
    known, _ = refreshed(tmp_path)
    erase(tmp_path)
    retention.prune(tmp_path, [full_name(PREFIX, PREDICTIONS)], "2025-11-22", dry_run=False)

    assert answers(refreshed(tmp_path, known)[0]) == 6


def test_prune_takes_the_figures_in_before_rows_go(tmp_path: Path) -> None:
    fill(tmp_path)

    assert main(["archive", "prune", "--before", "2025-11-22", "--dir", str(tmp_path)]) == 0

    assert answers(rollup_store.load(tmp_path)) == 6
    assert list(tmp_path.rglob("*.parquet")) == []


def test_a_topic_that_was_filled_again_is_told_once(tmp_path: Path) -> None:
    fill(tmp_path, topic_id="z-old")
    fill(tmp_path, topic_id="a-new", appended_ms=LATER_MS)

    assert answers(refreshed(tmp_path)[0]) == 6


def test_markets_are_apart_and_nobody_reads_what_is_no_message(tmp_path: Path) -> None:
    put(tmp_path, PREDICTIONS, [wire.encode(messages.prediction(market="hdb")), None])

    known, _ = refreshed(tmp_path)

    assert days(known) == {}
    assert len(days(known, "hdb")) == 1


def test_only_the_columns_that_are_folded_are_there_to_be_read(tmp_path: Path) -> None:
    fill(tmp_path)
    for manifest in chain.manifests(tmp_path, full_name(PREFIX, OUTCOMES)):
        for file in manifest.files:
            names = set(pq.read_schema(tmp_path / file.path).names)
            assert set(rollup.columns(OUTCOMES)) <= names
