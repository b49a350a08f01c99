"""The commands as a user types them, without a broker."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from producers.__main__ import main
from stream_app.contract import wire
from stream_app.contract.wire import Decoded
from tests import builders
from tests.unit.producers.raw_rows import HDB_2015, HDB_2017, KING_COUNTY, csv_text

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder: no settings file of this machine is in the way."""
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "HOUSING_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_convert_writes_one_event_on_a_line(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (folder / "flats.csv").write_text(csv_text(HDB_2015))

    status = main(["convert", "--source", "hdb", "--file", "flats.csv"])

    out, told = capsysbinary.readouterr()
    decoded = [wire.decode_event(line) for line in out.splitlines()]
    assert status == 0
    assert [type(d.event).__name__ for d in decoded if isinstance(d, Decoded)] == [
        "Listing",
        "Sale",
    ]
    assert told == b"1 listing, 1 sale from 1 row\n"


def test_convert_to_a_file_gives_its_summary_as_json(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.csv").write_text(csv_text(HDB_2015))
    (folder / "b.csv").write_text(csv_text(HDB_2017))

    files = ["--file", "a.csv", "--file", "b.csv"]
    status = main(["convert", "--source", "hdb", *files, "--out", "events.jsonl", "--json"])

    assert status == 0
    assert json.loads(capsys.readouterr().out) == {
        "events": {"listing": 2, "sale": 2},
        "rows": 2,
        "bad_rows": 0,
        "repaired": {},
    }
    assert len((folder / "events.jsonl").read_bytes().splitlines()) == 4
    assert not (folder / "events.jsonl.part").exists()


def test_from_is_the_first_day_and_to_the_one_after_the_last(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    rows = [{**KING_COUNTY, "date": f"201410{day}T000000"} for day in (12, 13, 14)]
    (folder / "sales.csv").write_text(csv_text(*rows))

    days = ["--from", "2014-10-13", "--to", "2014-10-14"]
    main(["convert", "--source", "king-county", "--file", "sales.csv", *days])

    (line,) = capsysbinary.readouterr().out.splitlines()
    assert b"kc-7129300520-20141013" in line


def test_a_limit_takes_the_first_events(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (folder / "sales.csv").write_text(csv_text(KING_COUNTY))

    main(["convert", "--source", "king-county", "--file", "sales.csv", "--limit", "1"])

    assert capsysbinary.readouterr().out.count(b"\n") == 1


def test_rows_that_cannot_be_read_are_told_and_strict_makes_them_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "sales.csv").write_text(csv_text({**KING_COUNTY, "price": "?!"}))
    command = ["convert", "--source", "king-county", "--file", "sales.csv", "--out", "events"]

    lenient = main(command)
    told = capsys.readouterr().err
    strict = main([*command, "--strict"])

    assert lenient == 0
    assert "not read: sales.csv, line 2: column price: '?!' is not a number" in told
    assert "left out as unreadable: 1 row\n" in told
    assert strict == 2
    assert capsys.readouterr().err == (
        "producers convert: sales.csv, line 2: column price: '?!' is not a number\n"
    )


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["convert", "--source", "hdb", "--file", "none.csv"], "none.csv: No such file"),
        (["check", "sales.csv"], "say whose columns these are with --source"),
        (["check", "none.jsonl"], "none.jsonl: No such file"),
    ],
    ids=["no such file", "no source", "nothing to check"],
)
def test_wrong_input_is_one_line_and_status_2(
    command: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 2

    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--speed", "fast"], "'fast': 1000/s"),
        (["--speed", "-5/s"], "[--speed N/s|Nx|max]"),
        (["--from", "2014-13-01"], "'2014-13-01': a day such as 2014-12-31"),
        (["--limit", "-1"], "a whole number"),
        (["--seed", "x"], "a whole number"),
    ],
)
def test_a_wrong_option_says_what_is_wanted(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["replay", "--source", "hdb", *options])

    assert told in capsys.readouterr().err.replace("'-1'", "")


def test_settings_that_do_not_exist_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOUSING_PRODUCERS_SEEED", "1")

    assert main(["convert", "--source", "hdb"]) == 2
    assert capsys.readouterr().err == (
        "producers convert: HOUSING_PRODUCERS_SEEED: no such setting\n"
    )


def test_the_settings_file_gives_the_seed_and_an_option_overrides_it(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (folder / "sales.csv").write_text(csv_text(KING_COUNTY))
    command = ["convert", "--source", "king-county", "--file", "sales.csv"]
    outputs = []
    for seed_setting, options in ((0, []), (9, []), (9, ["--seed", "0"])):
        (folder / "housing.toml").write_text(f"[producers]\nseed = {seed_setting}\n")
        main([*command, *options])
        outputs.append(capsysbinary.readouterr().out)

    assert outputs[0] == outputs[2] != outputs[1]


def test_check_tells_each_line_and_sums_up(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = builders.raw(builders.listing()), b"[]"
    (folder / "events.jsonl").write_bytes(good + b"\n" + bad + b"\n")

    status = main(["check", "events.jsonl"])

    assert status == 1
    assert capsys.readouterr().out.splitlines() == [
        "line 1: accepted",
        "line 2: rejected, schema: a JSON object is wanted, got b'[]'",
        "2 lines: 1 accepted, 0 repaired, 1 rejected (schema 1)",
    ]


def test_check_as_json_has_a_line_for_each_and_the_sums_last(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "flats.csv").write_text(csv_text(HDB_2017))

    status = main(["check", "flats.csv", "--source", "hdb", "--json"])

    assert status == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"line": 2, "verdict": "accepted", "code": None, "detail": ""},
        {"lines": 1, "accepted": 1, "repaired": 0, "rejected": 0, "codes": {}},
    ]


def test_quiet_leaves_out_what_is_accepted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "events.jsonl").write_bytes(builders.raw(builders.listing()) + b"\n")

    main(["check", "--quiet", "events.jsonl"])

    assert capsys.readouterr().out == "1 line: 1 accepted, 0 repaired, 0 rejected\n"


def test_a_file_without_an_event_is_not_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", os.devnull]) == 1

    out, err = capsys.readouterr()
    assert out == "0 lines: 0 accepted, 0 repaired, 0 rejected\n"
    assert err == f"producers check: {os.devnull}: no event in it\n"


def test_rejects_without_a_broker_say_so_in_one_line(folder: Path) -> None:
    told = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "HOUSING_PRODUCERS_CONNECT_TIMEOUT_S": "0.2"}

    # In a process of its own: the client leaves a socket open when nobody answers.
    done = subprocess.run(
        [sys.executable, "-m", "producers", "rejects", "group"],
        env={**os.environ, **told, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("producers rejects: no Kafka answers at 127.0.0.1:1")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--since", "yesterday"], "'yesterday': a time such as 2014-12-31"),
        (["--code", "typo"], "'typo'"),
        (["--limit", "-1"], "'-1': a whole number"),
    ],
)
def test_what_rejects_cannot_take_is_named(
    options: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["rejects", "list", *options])

    assert end.value.code == 2
    assert named in capsys.readouterr().err


def test_unsafe_settings_are_told_before_a_file_or_a_broker_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOUSING_PRODUCERS_ACKS", "1")

    assert main(["replay", "--source", "hdb", "--file", "nowhere.csv"]) == 2

    assert "HOUSING_PRODUCERS_ACKS: '1': only 'all' is safe" in capsys.readouterr().err
