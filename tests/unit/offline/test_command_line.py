"""Every fault is one clear line and an exit status; a result is one line of JSON."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from offline import arguments
from offline.__main__ import main
from stream_app.contract.events import Listing, Sale
from stream_app.contract.topics import EVENTS
from stream_app.stages import scorer
from stream_app.stages.step import Batch
from tests import builders, sales, told

DAY = "2015-06-01"

# What MLflow 3.17 does with SQLAlchemy 2.1 is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path,
    empty_mlflow: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Run:
    """The command line, with its folders below `tmp_path`: exit status, output, errors."""
    shutil.copy(empty_mlflow, tmp_path / "mlflow.db")
    own = {
        "MODEL_STORE": tmp_path / "models",
        "SIGNING_KEY_FILE": tmp_path / "keys" / "signing.key",
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
        "MLFLOW_ARTIFACTS": tmp_path / "artifacts",
        "SNAPSHOTS": tmp_path / "snapshots",
        "ARCHIVE": tmp_path / "archive",
        "TRAIL_FILE": tmp_path / "trail.jsonl",
    }
    for name, value in own.items():
        monkeypatch.setenv(f"HOUSING_OFFLINE_{name}", str(value))

    def started(*given: str) -> tuple[int, str, str]:
        status = main(given)
        out, err = capfd.readouterr()
        return status, out, err

    return started


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(map(builders.raw, sales.events())))
    return path


def test_training_on_a_snapshot_is_training_on_its_log(
    run: Run, events: Path, tmp_path: Path
) -> None:
    market = "--market", sales.MARKET
    log = "--events", str(events), "--train-to", DAY
    _, out, _ = run("snapshot", "make", *market, *log, "--json")
    kept = json.loads(out)
    snapshot = "--events", f"snapshot:{kept['folder']}"

    status, of_snapshot, err = run("train", *market, *snapshot, "--json")
    _, of_log, _ = run("train", *market, *log, "--json")

    assert status == 0, err
    same = {"version", "data_sha256", "reference_sha256", "events", "split", "metrics"}
    (line,) = of_snapshot.splitlines()
    first, second = json.loads(line), json.loads(of_log)
    assert {k: first[k] for k in same} == {k: second[k] for k in same}
    assert first["data_sha256"] == kept["data_sha256"]
    assert first["version"].startswith("c")
    assert (tmp_path / "models" / f"{first['bundle_sha256']}.skops").exists()


def test_a_snapshot_is_shown_checked_and_compared(run: Run, events: Path) -> None:
    made = "snapshot", "make", "--market", sales.MARKET, "--events", str(events)
    first, again, second = (
        json.loads(run(*made, "--train-to", day, "--json")[1]) for day in (DAY, DAY, "2015-03")
    )

    assert (first["new"], again["new"], again["folder"]) == (True, False, first["folder"])
    status, out, _ = run("snapshot", "show", first["folder"])
    assert status == 0
    assert "python -m offline snapshot make --market king-county --events events.jsonl" in out
    assert json.loads(run("snapshot", "verify", first["folder"], "--json")[1])["whole"]
    _, out, _ = run("snapshot", "compare", second["folder"], first["folder"], "--json")
    added = json.loads(out)["added"]["rows"]
    assert added == first["rows"] - second["rows"] > 0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("backtest", "--train-to", DAY), "backtest replays events, and a snapshot holds rows"),
        (("train", "--train-to", "2015-01"), "--train-to: "),
        (("train", "--without-source", "x"), "--without-source: a snapshot is fixed"),
        (("eda", "--market", "hdb"), "--market: "),
    ],
    ids=["no log", "another date", "without a source", "another market"],
)
def test_what_a_snapshot_cannot_do_is_told(
    run: Run, events: Path, given: tuple[str, ...], says: str
) -> None:
    made = "snapshot", "make", "--market", sales.MARKET, "--events", str(events)
    kept = json.loads(run(*made, "--train-to", "2014-09", "--json")[1])["folder"]

    status, _, err = run(
        given[0], "--market", sales.MARKET, "--events", f"snapshot:{kept}", *given[1:]
    )

    assert status == 2
    assert err.splitlines()[-1].startswith(f"offline {given[0]}: {says}")


def test_a_log_has_no_date_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        arguments.parse(["train", "--market", "hdb", "--events", "topic"])

    assert stopped.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("usage: python -m offline train ")
    assert "--train-to DATE is required: only --events snapshot:DIR has a date of its own" in err


def test_parity_of_an_archive_writes_a_certificate_and_fails_with_what_differs(
    run: Run, tmp_path: Path
) -> None:
    given = sales.events(40)
    (records,) = told.dealt(given, 1)
    told.archive(tmp_path / "archive", EVENTS, 0, records)
    batch = Batch("housing.events", "t-1", 0, 1, records)
    told.archive_served(tmp_path / "archive", 0, scorer.advance(batch, {}, {}))
    parity = "parity", "--market", sales.MARKET, "--events", "archive", "--json"
    out = "--out", str(tmp_path / "certificate.json")

    status, printed, err = run(*parity, *out)

    assert status == 0, err
    found = json.loads(printed)
    assert (found["verdict"], found["compared"]) == ("equal", 40)
    assert json.loads((tmp_path / "certificate.json").read_text())["sha256"] == found["sha256"]


def test_parity_fails_where_something_else_was_served(run: Run, tmp_path: Path) -> None:
    (records,) = told.dealt(sales.events(40), 1)
    told.archive(tmp_path / "archive", EVENTS, 0, records)
    unsold = Batch("housing.events", "t-1", 0, 1, records[::2])
    told.archive_served(tmp_path / "archive", 0, scorer.advance(unsold, {}, {}))
    out = "--out", str(tmp_path / "certificate.json")

    status, printed, _ = run(
        "parity", "--market", sales.MARKET, "--events", "archive", *out, "--json"
    )

    assert (status, json.loads(printed)["verdict"]) == (1, "different")


def test_a_leak_in_the_events_holds_the_version_and_promote_asks_for_a_review(
    run: Run, tmp_path: Path
) -> None:
    found = sales.events()
    prices = {e.listing_id: e.sale_price for e in found if isinstance(e, Sale)}
    leaking = [
        msgspec.structs.replace(e, basement_m2=prices[e.listing_id])
        if isinstance(e, Listing)
        else e
        for e in found
    ]
    path = tmp_path / "leaking.jsonl"
    path.write_bytes(b"\n".join(map(builders.raw, leaking)))
    market = "--market", sales.MARKET

    _, out, _ = run("train", *market, "--events", str(path), "--train-to", DAY, "--json")
    status, _, err = run("promote", *market)

    assert "home_basement_m2 alone explains" in json.loads(out)["held"]
    assert status == 1
    assert err.strip().endswith("look, then say why it may serve: promote --reviewed REASON")


def test_train_takes_a_shape_and_refuses_what_is_none(run: Run, events: Path) -> None:
    given = "train", "--market", sales.MARKET, "--events", str(events), "--train-to", DAY, "--json"
    shape = {"loss": "squared_error", "leaves": 7, "trees": 12}

    _, out, _ = run(*given, "--shape", json.dumps(shape))
    status, _, err = run(*given, "--shape", json.dumps(shape | {"leaves": 1}))

    assert json.loads(out)["shape"].items() >= shape.items()
    assert status == 2
    assert err.strip().endswith("Expected `int` >= 2 - at `$.leaves`")


def test_a_backtest_prints_figures_for_people_too(run: Run, events: Path) -> None:
    market = "--market", sales.MARKET
    status, out, _ = run("backtest", *market, "--events", str(events), "--train-to", "2015-03")

    assert status == 0
    assert [line.split()[0] for line in out.splitlines()][:3] == ["market", "train_to", "retrain"]
    assert not set("{}'") & set(out)


def test_what_the_gate_said_by_criterion_is_not_told_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = {"passed": False, "findings": [{"criterion": "gain"}], "reason": "gain: none"}
    monkeypatch.setattr("offline.commands.COMMANDS", {"gate": lambda _: verdict})
    gate = "gate", "--market", "hdb", "--source", "hdb"

    assert run(*gate)[:2] == (1, "passed  no\n")
    assert json.loads(run(*gate, "--json")[1]) == verdict


def test_eda_writes_a_page_and_its_figures(run: Run, events: Path, tmp_path: Path) -> None:
    out = "--out", str(tmp_path / "eda")
    status, printed, err = run(
        "eda", "--market", sales.MARKET, "--events", str(events), *out, "--json"
    )

    assert status == 0, err
    result = json.loads(printed)
    assert result["rows"] == sales.HOMES
    assert Path(result["html"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads(Path(result["json"]).read_text(encoding="utf-8"))["rows"] == sales.HOMES


def test_a_market_without_events_has_nothing_to_look_at(run: Run, events: Path) -> None:
    status, _, err = run("eda", "--market", "hdb", "--events", str(events))

    assert status == 2
    assert err.splitlines()[-1] == "offline eda: hdb: no home was sold"


@pytest.mark.parametrize("of", ["served", "holdout"])
def test_errors_writes_a_page_of_what_was_served_and_of_a_holdout(
    run: Run, events: Path, tmp_path: Path, of: str
) -> None:
    given = "--market", sales.MARKET, "--events", str(events), "--out", str(tmp_path)
    status, printed, err = run("errors", *given, "--train-to", "2015-01", "--of", of, "--json")

    assert status == 0, err
    result = json.loads(printed)
    assert result["overall"]["mdape"] < 0.1
    assert (result["overall"]["coverage_90"] is None) == (of == "holdout")
    html = (tmp_path / f"errors-{of}.html").read_text(encoding="utf-8")
    assert ("Importance" in html) == (of == "holdout")


def test_what_cannot_be_written_is_told(run: Run, events: Path) -> None:
    given = "--market", sales.MARKET, "--events", str(events), "--out", str(events)
    status, _, err = run("eda", *given)

    assert status == 1
    assert f"File exists: '{events}'" in err


@pytest.mark.parametrize("command", ["train", "backtest", "eda", "errors", "promote", "parity"])
def test_each_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        arguments.parser().parse_args([command, "--help"])

    assert stopped.value.code == 0
    assert "--market" in capsys.readouterr().out


def test_a_market_without_sales_is_refused_in_one_line(run: Run, events: Path) -> None:
    status, _, err = run("train", "--market", "hdb", "--events", str(events), "--train-to", DAY)

    assert status == 2
    assert err.splitlines()[-1] == "offline train: hdb: 0 sold homes, at least 430 are needed"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--events", "none.jsonl"), "none.jsonl: no such file"),
        (("--events", "x", "--file", "y"), "--file goes with --source, not with --events"),
        (
            ("--source", "nowhere"),
            "-m producers convert --source nowhere: exit status 2, see above",
        ),
    ],
    ids=["no such file", "options that do not go together", "no such source"],
)
def test_wrong_input_is_one_line(run: Run, given: tuple[str, ...], says: str) -> None:
    status, _, err = run("train", "--market", "hdb", *given, "--train-to", DAY)

    assert status == 2
    assert err.splitlines()[-1] == f"offline train: {says}"


def test_nothing_trained_is_nothing_to_promote(run: Run) -> None:
    status, _, err = run("promote", "--market", "hdb")

    assert status == 2
    assert err.startswith("offline promote: hdb: nothing was trained yet in sqlite:///")
    assert err.endswith("(other settings: HOUSING_CONFIG names their file)\n")


def test_a_registry_that_does_not_answer_is_told_in_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSING_OFFLINE_MLFLOW_TRACKING_URI", "http://127.0.0.1:1")

    status, _, err = run("promote", "--market", "hdb")

    assert status == 1
    assert err.startswith("offline promote: API request to http://127.0.0.1:1")


def test_bad_settings_are_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSING_OFFLINE_SEED", "-1")

    status, _, err = run("promote", "--market", "hdb")

    assert status == 2
    assert "HOUSING_OFFLINE_SEED: '-1'" in err


def test_ctrl_c_ends_without_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(given: object) -> dict[str, object]:
        raise KeyboardInterrupt

    monkeypatch.setattr("offline.commands.COMMANDS", {"promote": interrupted})

    assert run("promote", "--market", "hdb") == (130, "", "stopped\n")


@pytest.mark.parametrize("share", ["0", "1.1", "-1", "nan", "half"])
def test_a_share_that_is_none_is_refused(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["rollout", "--market", "hdb", "--mode", "canary", "--share", share]

    with pytest.raises(SystemExit) as stopped:
        arguments.parser().parse_args(given)

    assert stopped.value.code == 2
    assert f"{share!r}: a number above 0, up to 1, is wanted" in capsys.readouterr().err


def test_a_roll_back_needs_a_broker(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offline.log._ANSWER_S", 0.2)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")

    status, _, err = run("rollback", "--market", "hdb")

    assert status == 1
    told = "no Kafka answers at 127.0.0.1:1 (KAFKA_BOOTSTRAP_SERVERS): "
    assert err.startswith(f"offline rollback: {told}")


@pytest.mark.parametrize("text", ["2014-13", "2014-02-30", "yesterday", "2014"])
def test_a_date_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["backtest", "--market", "hdb", "--events", "topic", "--train-to", text]

    with pytest.raises(SystemExit) as stopped:
        arguments.parser().parse_args(given)

    assert stopped.value.code == 2
    assert f"{text!r}: YYYY-MM-DD or YYYY-MM is wanted" in capsys.readouterr().err


def test_an_ablation_of_no_draws_is_refused(run: Run, events: Path) -> None:
    market = "--market", sales.MARKET
    given = "--events", str(events), "--train-to", DAY, "--seeds", "0"

    status, _, err = run("ablate", *market, *given)

    assert (status, err.splitlines()[-1]) == (2, "offline ablate: --seeds: at least 1 is wanted")
