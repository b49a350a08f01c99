"""What is new in an archive is told once, partitions side by side."""

from pathlib import Path

from monitoring.tail import ROWS_AT_ONCE, Tail
from stream_app.contract import wire
from stream_app.contract.topics import EVENTS, full_name
from tests import builders
from tests.unit.monitoring import archives

ROWS = 3 * ROWS_AT_ONCE
TOPICS = [full_name(archives.PREFIX, EVENTS)]


def put(root: Path, chain: str) -> None:
    values = [wire.encode(builders.listing(event_id=f"{chain}-{n}")) for n in range(ROWS)]
    archives.put(root, EVENTS, values, topic_id=chain, every_ms=1_000)


def test_ranges_that_were_filled_at_the_same_time_are_read_side_by_side(tmp_path: Path) -> None:
    put(tmp_path, "t-1")
    put(tmp_path, "t-2")

    told = list(Tail(tmp_path).tables(TOPICS, [builders.MARKET]))

    assert [rows.appended_ms for rows in told] == sorted(rows.appended_ms for rows in told)
    assert [rows.manifest.topic_id for rows in told] == ["t-1", "t-2"] * 3


def test_what_was_told_is_not_told_again(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    put(tmp_path, "t-1")
    first = list(tail.tables(TOPICS, [builders.MARKET]))
    put(tmp_path, "t-1")

    second = list(tail.tables(TOPICS, [builders.MARKET]))

    assert sum(rows.table.num_rows for rows in first) == ROWS
    assert sum(rows.table.num_rows for rows in second) == ROWS
    assert tail.rows == 2 * ROWS
