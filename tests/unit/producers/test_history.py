"""Files to events in order: what holds for any part and any order of a file."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers.sources import SOURCES, BadFile, Tally, default_paths, read
from producers.sources.table import BadRow
from stream_app.contract import wire
from stream_app.contract.events import AnyEvent
from tests.unit.producers.raw_rows import HDB_2012, HDB_2015, HDB_2017, KING_COUNTY, csv_text

# Fifty homes: other parcels, days and zip codes, otherwise the real row.
ROWS = [
    {
        **KING_COUNTY,
        "id": f"{n:010d}",
        "date": f"2014{n % 12 + 1:02d}{n % 28 + 1:02d}T000000",
        "zipcode": f"98{n % 7:03d}",
    }
    for n in range(50)
]


def written(folder: Path, rows: Sequence[Mapping[str, str]], name: str = "sales.csv") -> Path:
    path = folder / name
    path.write_text(csv_text(*rows), encoding="utf-8")
    return path


def events(path: Path, seed: int = 0, source: str = "king-county") -> list[AnyEvent]:
    return list(read(source, [path], seed))


def without_sequence(found: list[AnyEvent]) -> dict[str, bytes]:
    """Content by id; the sequence is the place in the history, which a part lacks."""
    return {
        event.event_id: wire.encode(event).replace(f'"sequence":{number}'.encode(), b"")
        for number, event in enumerate(found)
    }


def test_events_come_in_the_order_in_which_they_happened(tmp_path: Path) -> None:
    found = events(written(tmp_path, ROWS))

    order = [(event.event_time_ms, event.event_id) for event in found]
    assert order == sorted(order)
    assert [event.sequence for event in found] == list(range(100))


def test_the_same_file_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, ROWS)

    first, second = ([wire.encode(e) for e in events(path, seed=7)] for _ in range(2))

    assert first == second


def test_another_seed_keeps_ids_and_sales_and_moves_listings(tmp_path: Path) -> None:
    path = written(tmp_path, ROWS)

    first, second = (
        {event.event_id: event.event_time_ms for event in events(path, seed)} for seed in (0, 1)
    )

    assert first.keys() == second.keys()
    assert sum(first[event_id] != second[event_id] for event_id in first) == len(ROWS)


@settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.sampled_from(ROWS), unique_by=lambda row: row["id"], min_size=1))
def test_any_part_of_a_file_in_any_order_gives_the_events_of_the_whole(
    tmp_path: Path, part: list[dict[str, str]]
) -> None:
    whole = without_sequence(events(written(tmp_path, ROWS)))

    found = without_sequence(events(written(tmp_path, part, "part.csv")))

    assert len(found) == 2 * len(part)
    assert found.items() <= whole.items()


def test_several_files_are_one_history(tmp_path: Path) -> None:
    halves = [written(tmp_path, rows, f"{n}.csv") for n, rows in enumerate((ROWS[25:], ROWS[:25]))]

    assert list(read("king-county", halves, 0)) == events(written(tmp_path, ROWS))


def test_the_three_hdb_schemas_mix(tmp_path: Path) -> None:
    paths = [
        written(tmp_path, [row], f"{n}.csv") for n, row in enumerate((HDB_2017, HDB_2012, HDB_2015))
    ]

    years = [e.event_time_ms // 31_556_952_000 + 1970 for e in read("hdb", paths, 0)]

    assert years == sorted(years)
    assert len(years) == 6


def test_twins_in_one_file_are_kept_and_an_overlapping_file_repeats_their_ids(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, [HDB_2012, HDB_2012])

    once = events(path, source="hdb")
    twice = list(read("hdb", [path, path], 0))

    assert len({event.event_id for event in once}) == 4
    assert {event.event_id for event in twice} == {event.event_id for event in once}


def test_gzip_a_byte_order_mark_and_another_case_of_the_header_make_no_difference(
    tmp_path: Path,
) -> None:
    text = csv_text(*ROWS)
    header, _, rest = text.partition("\n")
    path = tmp_path / "sales.csv.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + f"{header.upper()}\n{rest}".encode()))

    assert events(path) == events(written(tmp_path, ROWS))


def test_a_row_that_cannot_be_read_is_counted_and_told_and_the_others_go_on(tmp_path: Path) -> None:
    bad = {**KING_COUNTY, "price": "a lot"}
    tally = Tally()

    found = list(read("king-county", [written(tmp_path, [ROWS[0], bad, ROWS[1]])], 0, tally))

    assert len(found) == 4
    assert tally.bad_rows == 1
    assert tally.first_bad_rows == [BadRow("sales.csv", 3, "column price: 'a lot' is not a number")]


def test_strict_stops_at_the_first_row_that_cannot_be_read(tmp_path: Path) -> None:
    path = written(tmp_path, [{**KING_COUNTY, "price": "a lot"}])

    with pytest.raises(BadFile, match=r"sales.csv, line 2: column price: 'a lot'"):
        list(read("king-county", [path], 0, Tally(strict=True)))


def test_repairs_are_counted_by_column(tmp_path: Path) -> None:
    tally = Tally()
    rows = [{**KING_COUNTY, "zipcode": "98178-1234"}, {**ROWS[1], "id": "7"}]

    list(read("king-county", [written(tmp_path, rows)], 0, tally))

    assert tally.repaired == {"zipcode": 1, "id": 1}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"1,2\n", "2 cells, the header has 20"),
        (",".join(["\N{EURO SIGN}"] * 20).encode("cp1252") + b"\n", "is not UTF-8"),
        (b'"' + b"x" * 200_000 + b'"\n', "field larger than field limit"),
    ],
    ids=["cut short", "another encoding", "huge cell"],
)
def test_a_broken_line_costs_itself_only(tmp_path: Path, content: bytes, problem: str) -> None:
    needed = SOURCES["king-county"].needed_columns
    rows = csv_text({name: KING_COUNTY[name] for name in needed}).encode()
    header, _, row = rows.partition(b"\n")
    path = tmp_path / "sales.csv"
    path.write_bytes(header + b"\n" + content + row)
    tally = Tally()

    found = list(read("king-county", [path], 0, tally))

    assert len(found) == 2
    assert tally.bad_rows == 1
    assert problem in tally.first_bad_rows[0].problem


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("sales.csv", b"", "column id, date"),
        ("sales.csv", csv_text(HDB_2012).encode(), "line 1: column id, .* is missing"),
        ("sales.csv.gz", csv_text(KING_COUNTY).encode(), "Not a gzipped file"),
        ("sales.csv.gz", gzip.compress(csv_text(KING_COUNTY).encode())[:-9], "ended before"),
    ],
    ids=["empty", "of another source", "not gzip", "cut gzip"],
)
def test_a_file_that_cannot_be_used_is_told_by_name(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(BadFile, match=f"{name}.*{message}"):
        events(path)


def test_a_renamed_column_is_told(tmp_path: Path) -> None:
    row = {("amount" if name == "price" else name): cell for name, cell in KING_COUNTY.items()}

    with pytest.raises(BadFile, match="column price is missing; the header has: id, date, amount"):
        events(written(tmp_path, [row]))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"nowhere.csv: No such file"):
        events(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_the_shipped_samples_of_a_source_are_there(name: str) -> None:
    assert all(path.is_file() for path in default_paths(name))


def test_the_shipped_king_county_file_is_read_whole() -> None:
    tally = Tally(strict=True)

    found = list(read("king-county", default_paths("king-county"), 0, tally))

    assert (tally.rows, len(found), len({e.event_id for e in found})) == (21_613, 43_226, 43_226)
    assert not tally.repaired
