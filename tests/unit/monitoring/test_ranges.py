"""A range becomes files by day, market and layout, each described in its manifest."""

import hashlib
import io

import pyarrow.parquet as pq
import pytest

from monitoring.chain import Source
from monitoring.ranges import Span, encode_range
from monitoring.tables import Taken
from stream_app.contract import topics, wire
from tests import builders, messages
from tests.unit.monitoring import archives

OUTCOMES, MODELS, EVENTS = (
    archives.layout(t) for t in (topics.OUTCOMES, topics.MODELS, topics.EVENTS)
)
SOURCE = Source("housing.outcomes", "t-1", 3)
DAY_MS = 86_400_000


def taken(offset: int, value: bytes | None, appended_ms: int = 0) -> Taken:
    return Taken(3, offset, appended_ms, b"k", value)


def test_files_are_parted_by_day_and_market() -> None:
    values = [
        taken(0, wire.encode(messages.outcome(market="king-county"))),
        taken(1, wire.encode(messages.outcome(market="hdb"))),
        taken(2, wire.encode(messages.outcome(market="hdb")), appended_ms=DAY_MS),
    ]

    manifest, contents = encode_range(OUTCOMES, SOURCE, Span(0, 3, 0), values, "tok", 7)

    folders = [file.path.rpartition("/")[0] for file in manifest.files]
    assert folders == [
        "housing.outcomes/t-1/1970-01-01/hdb",
        "housing.outcomes/t-1/1970-01-01/king-county",
        "housing.outcomes/t-1/1970-01-02/hdb",
    ]
    assert list(contents) == [file.path for file in manifest.files]
    assert manifest.rows == 3


def test_a_file_is_described_by_what_is_in_it() -> None:
    values = [taken(5, wire.encode(messages.outcome(sold_ms=sold_ms))) for sold_ms in (30, 10, 20)]

    manifest, contents = encode_range(OUTCOMES, SOURCE, Span(5, 9, 5), values, "tok", 7)

    (file,) = manifest.files
    content = contents[file.path]
    assert (file.event_from_ms, file.event_to_ms, file.rows) == (10, 30, 3)
    assert (file.size_bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert pq.read_table(io.BytesIO(content))["sold_ms"].to_pylist() == [30, 10, 20]


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{}", b"\xff", b"[" * 100_000],
    ids=["tombstone", "empty", "no outcome", "no text", "nested too deeply"],
)
def test_what_is_no_message_is_kept_as_it_came(value: bytes | None) -> None:
    good = wire.encode(messages.outcome())

    manifest, contents = encode_range(
        OUTCOMES, SOURCE, Span(0, 2, 0), [taken(0, value), taken(1, good)], "tok", 7
    )

    raw = next(file for file in manifest.files if file.layout == "raw")
    assert raw.market == "unreadable"
    assert pq.read_table(io.BytesIO(contents[raw.path]))["value"].to_pylist() == [value]
    assert manifest.rows == 2


def test_a_market_that_is_not_ours_gets_no_folder_of_its_name() -> None:
    value = wire.encode(messages.outcome(market="../../somewhere"))

    manifest, _ = encode_range(OUTCOMES, SOURCE, Span(0, 1, 0), [taken(0, value)], "tok", 7)

    assert [file.market for file in manifest.files] == ["unknown"]


def test_announcements_are_kept_whole() -> None:
    value = wire.encode(messages.champion())

    manifest, contents = encode_range(MODELS, SOURCE, Span(0, 1, 0), [taken(0, value)], "tok", 7)

    (file,) = manifest.files
    assert (file.layout, file.market) == ("raw", "all")
    assert pq.read_table(io.BytesIO(contents[file.path]))["value"].to_pylist() == [value]


@pytest.mark.parametrize(
    ("value", "market", "event_time_ms"),
    [
        (wire.encode(builders.listing(market="hdb")), "hdb", builders.LISTED_MS),
        (b'{"market":"hdb","area_m2":"big"}', "hdb", 9),
        (b'{"market":"../../x","event_time_ms":99999999999999999999}', "unknown", 9),
        (b'{"market":7,"event_time_ms":true}', "unreadable", 9),
        (b"\xff", "unreadable", 9),
        (b"[" * 100_000, "unreadable", 9),
        (None, "unreadable", 9),
    ],
    ids=["event", "refused", "foreign", "other types", "no text", "nested too deeply", "tombstone"],
)
def test_an_event_is_kept_as_it_was_sent_where_its_bytes_say(
    value: bytes | None, market: str, event_time_ms: int
) -> None:
    record = Taken(3, 0, 9, b"kc-98178", value, [("origin", b"a"), ("origin", None)])

    manifest, contents = encode_range(EVENTS, SOURCE, Span(0, 1, 0), [record], "tok", 7)

    (file,) = manifest.files
    assert (file.layout, file.market, file.event_from_ms) == ("raw", market, event_time_ms)
    (row,) = pq.read_table(io.BytesIO(contents[file.path])).to_pylist()
    assert (row["key"], row["value"]) == (b"kc-98178", value)
    assert [tuple(each.values()) for each in row["headers"]] == [("origin", b"a"), ("origin", None)]
