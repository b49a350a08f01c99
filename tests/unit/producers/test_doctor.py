"""The doctor says of each line what the scorer would."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from producers.doctor import Finding, check_json_lines, check_source, count
from producers.judgement import Verdict
from producers.sources import BadFile
from stream_app.contract import wire
from tests import builders
from tests.unit.producers.raw_rows import HDB_2017, KING_COUNTY, csv_text

NOW_MS = builders.SOLD_MS


def findings(path: Path) -> list[Finding]:
    return list(check_json_lines(path, NOW_MS))


def test_each_line_gets_its_verdict(tmp_path: Path) -> None:
    good = builders.raw(builders.listing())
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        b"\n".join(
            (
                good,
                good.replace(b'"area_m2":110.0', b'"area_m2":"1,110"'),
                b"",
                b"no json",
                good.replace(b'"area_m2":110.0', b'"area_m2":1.0'),
                builders.raw(builders.sale(event_time_ms=NOW_MS + builders.DAY_MS)),
            )
        )
    )

    found = [(finding.line, finding.verdict, finding.code) for finding in findings(path)]

    assert found == [
        (1, Verdict.ACCEPTED, None),
        (2, Verdict.REPAIRED, None),
        (4, Verdict.REJECTED, "not_json"),
        (5, Verdict.REJECTED, "area"),
        (6, Verdict.REJECTED, "future"),
    ]


def test_a_finding_reads_as_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(wire.encode(builders.listing(bedrooms=33)) + b"\r\n")

    (finding,) = findings(path)

    assert str(finding).startswith("line 1: rejected, rooms: bedrooms=33, ")


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(builders.raw(builders.listing()) + b"\n"))

    assert [finding.verdict for finding in findings(path)] == [Verdict.ACCEPTED]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"none.jsonl: No such file"):
        findings(tmp_path / "none.jsonl")


def test_rows_of_a_source_are_judged_as_their_events(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(
        csv_text(
            KING_COUNTY,
            {**KING_COUNTY, "zipcode": "98178-1234"},
            {**KING_COUNTY, "bedrooms": "33"},
            {**KING_COUNTY, "price": "0"},
            {**KING_COUNTY, "sqft_living": "large"},
        )
    )

    found = list(check_source("king-county", path, 0, NOW_MS + 365 * builders.DAY_MS))

    assert [(finding.line, finding.verdict, finding.code) for finding in found] == [
        (2, Verdict.ACCEPTED, None),
        (3, Verdict.REPAIRED, None),
        (4, Verdict.REJECTED, "rooms"),
        (5, Verdict.REJECTED, "price"),
        (6, Verdict.REJECTED, "unreadable_row"),
    ]
    assert found[3].detail.startswith("sale: sale_price=0.0")
    assert found[4].detail == "column sqft_living: 'large' is not a number"


def test_a_real_row_of_hdb_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "flats.csv"
    path.write_text(csv_text(HDB_2017))

    (finding,) = check_source("hdb", path, 0, now_ms=1_700_000_000_000)

    assert finding.verdict is Verdict.ACCEPTED


def test_findings_are_counted_by_verdict_and_by_code() -> None:
    counts: Counter[str] = Counter()

    for code in ("area", "area", "rooms"):
        count(Finding(1, Verdict.REJECTED, code, ""), counts)
    count(Finding(4, Verdict.ACCEPTED, None, ""), counts)

    assert counts == {
        "rejected": 3,
        "rejected:area": 2,
        "rejected:rooms": 1,
        "accepted": 1,
    }
