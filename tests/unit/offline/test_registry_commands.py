"""A version that was trained by the command is described, traced, made again, and trusted or not."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from offline import tracking
from offline.__main__ import main
from offline.registry import experiment_of
from offline.settings import from_environment
from tests import builders, sales

# What MLflow 3.17 does with SQLAlchemy 2.1 is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

MARKET = "--market", sales.MARKET
SHAPE = '{"loss": "squared_error", "leaves": 7, "trees": 10}'


class Ran(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.out.splitlines()[-1])
        return found


class Trained(NamedTuple):
    """One version in folders of its own."""

    folder: Path
    events: Path
    version: str
    bundle: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    folder = tmp_path_factory.mktemp("trained")
    own = {
        "OFFLINE_MODEL_STORE": folder / "models",
        "OFFLINE_SIGNING_KEY_FILE": folder / "keys" / "signing.key",
        "OFFLINE_MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "OFFLINE_MLFLOW_ARTIFACTS": folder / "artifacts",
        "OFFLINE_TRAIL_FILE": folder / "trail.jsonl",
    }
    events = folder / "events.jsonl"
    events.write_bytes(b"\n".join(map(builders.raw, sales.events())))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in own.items():
            patch.setenv(f"HOUSING_{name}", str(value))
        # Nobody answers there, and at once.
        patch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        patch.setattr("offline.log._ANSWER_S", 0.2)
        given = "--events", str(events), "--train-to", "2015-06-01", "--shape", SHAPE
        assert main(["train", *MARKET, *given, "--reason", "a test", "--by", "anna"]) == 0
        (bundle,) = (p for p in (folder / "models").glob("*.skops") if p.name in _announced(folder))
        yield Trained(folder, events, _version(folder), bundle)


def _announced(folder: Path) -> str:
    (found,) = folder.glob("artifacts/*/artifacts/announcement.json")
    return found.read_text("utf-8")


def _version(folder: Path) -> str:
    version: str = json.loads(_announced(folder))["manifest"]["version"]
    return version


Run = Callable[..., Ran]


@pytest.fixture
def run(trained: Trained, capfd: pytest.CaptureFixture[str]) -> Run:
    def started(command: str, *given: str) -> Ran:
        status = main([command, *(MARKET if command != "trail" else ()), *given, "--json"])
        return Ran(status, *capfd.readouterr())

    return started


def test_a_card_tells_a_stranger_what_is_known_and_what_is_not(run: Run, trained: Trained) -> None:
    out = trained.folder / "cards"

    ran = run("card", "--version", trained.version, "--out", str(out))

    assert ran.status == 0, ran.err
    card = Path(str(ran.result["markdown"])).read_text("utf-8")
    for words in (
        "Not for: decisions on credit",
        "stand in for groups that the law protects",
        "MAE in USD",
        "| why it was trained | a test |",
        "| asked by | anna |",
        "It was never judged against what it would replace: unknown.",
        "| serves as | unknown |",
        "SHA256:",
        "By region",
        "By type",
        "By predicted price",
        "By age of home",
    ):
        assert words in card, words
    assert Path(str(ran.result["html"])).read_text("utf-8").startswith("<!doctype html>")


def test_a_card_of_what_serves_needs_somebody_who_does(run: Run) -> None:
    ran = run("card")

    assert ran.status == 2
    assert "king-county: there is no champion" in ran.err


def test_a_version_is_made_again_byte_for_byte(run: Run, trained: Trained) -> None:
    ran = run("reproduce", trained.version)

    assert ran.status == 0, ran.err
    assert ran.result["exact"] is True
    assert ran.result["differs"] == []


def test_a_version_is_made_again_of_files_that_lie_elsewhere_now(
    run: Run, trained: Trained, tmp_path: Path
) -> None:
    elsewhere = trained.events.rename(tmp_path / "events.jsonl")
    try:
        ran = run("reproduce", trained.version, "--file", str(elsewhere))
    finally:
        elsewhere.rename(trained.events)

    assert ran.status == 0, ran.err
    assert ran.result["exact"] is True


def test_another_number_of_files_than_was_read_is_refused(run: Run, trained: Trained) -> None:
    ran = run("reproduce", trained.version, "--file", "a.csv", "--file", "b.csv")

    assert ran.status == 2
    assert f"--file: 2 given, read were 1: {trained.events}" in ran.err


def test_other_events_are_named(run: Run, trained: Trained) -> None:
    whole = trained.events.read_bytes()
    trained.events.write_bytes(b"\n".join(whole.splitlines()[2:]))
    try:
        ran = run("reproduce", trained.version)
    finally:
        trained.events.write_bytes(whole)

    assert ran.status == 1
    assert ran.result["reason"] == "the data are other ones"
    assert "differs: data_sha256: was" in ran.err
    assert "differs: rows: was" in ran.err
    assert f"differs: file {trained.events}: was" in ran.err


def test_lineage_takes_what_a_version_is_for_its_name(run: Run, trained: Trained) -> None:
    assert run("lineage", "--version", "challenger").result["version"] == trained.version
    none = run("lineage", "--version", "champion")
    assert (none.status, "king-county: there is no champion" in none.err) == (2, True)


def test_lineage_goes_from_the_log_to_the_bundle_and_back(run: Run, trained: Trained) -> None:
    picture = trained.folder / "lineage.svg"

    there = run("lineage", "--version", trained.version, "--out", str(picture)).result

    read = there["features_read"]
    assert isinstance(read, list)
    assert "home_grade" in read
    assert there["served"] is None
    assert picture.read_text("utf-8").startswith("<svg")
    for given in (
        ("--data", str(there["data_sha256"])[:12]),
        ("--offset", "0:0"),
    ):
        assert run("lineage", *given).result["trained_on_it"] == [trained.version]
    assert run("lineage", "--feature", "home_grade").result["read_by"] == [trained.version]
    assert run("lineage", "--offset", "7:0").result["trained_on_it"] == []


def test_a_feature_that_is_none_is_refused(run: Run) -> None:
    ran = run("lineage", "--feature", "home_colour")

    assert ran.status == 2
    assert "home_colour: is none of" in ran.err


def test_versions_say_what_is_noted_also_without_a_broker(run: Run, trained: Trained) -> None:
    ran = run("versions")

    assert ran.status == 0
    assert ran.result["serving"] is None
    found = ran.result["versions"]
    assert isinstance(found, list)
    assert [(each["version"], each["gate"]) for each in found] == [(trained.version, None)]


def test_the_registry_is_repaired_by_what_the_broker_says_only(run: Run) -> None:
    ran = run("versions", "--repair")

    assert ran.status == 1
    assert "127.0.0.1:1" in ran.err


def test_what_was_done_and_what_was_refused_is_in_the_trail(run: Run, trained: Trained) -> None:
    ran = run("retire", "--version", trained.version, "--reason", "to see", "--by", "otto")

    assert ran.status == 1  # nobody can say what serves
    lines = run("trail").result["deeds"]
    assert isinstance(lines, list)
    assert [(d["action"], d["state"], d["by"]) for d in lines[:2]] == [
        ("train", "begun", "anna"),
        ("train", "done", "anna"),
    ]
    assert [(d["action"], d["state"], d["reason"]) for d in lines[-2:]] == [
        ("retire", "begun", "to see"),
        ("retire", "failed", "to see"),
    ]
    assert run("trail", "--verify").status == 0


def test_a_training_that_fails_is_kept_as_such_and_leaves_all_versions_alone(
    run: Run, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*given: object, **more: object) -> None:
        raise MemoryError("no more trees")

    monkeypatch.setattr("offline.train.train", breaks)
    before = run("versions").result

    with pytest.raises(MemoryError):
        run("train", "--events", str(trained.events), "--train-to", "2015-06-01")

    assert run("versions").result == before
    mlflow = tracking.client(from_environment()[1])
    number = mlflow.get_experiment_by_name(experiment_of(sales.MARKET)).experiment_id
    newest = mlflow.search_runs([number])[0]
    assert newest.info.status == "FAILED"
    assert newest.data.tags[tracking.FAILURE_TAG] == "MemoryError: no more trees"
    deeds = run("trail").result["deeds"]
    assert isinstance(deeds, list)
    assert (deeds[-1]["state"], deeds[-1]["error"]) == ("failed", "no more trees")


def test_a_trail_that_cannot_be_written_stops_all_but_the_way_back(
    run: Run, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSING_OFFLINE_TRAIL_FILE", str(trained.events / "trail.jsonl"))

    promoted = run("promote", "--version", trained.version)
    back = run("rollback")

    assert promoted.status == 1
    assert "File exists" in promoted.err
    assert back.status == 1  # for no broker answers
    assert "not in the trail: rollback begun" in back.err
    assert "127.0.0.1:1" in back.err


def test_a_trail_that_was_written_into_is_told_of(run: Run, trained: Trained) -> None:
    path = trained.folder / "trail.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"anna", b"otto"))
    try:
        ran = run("trail", "--verify")
    finally:
        path.write_bytes(whole)

    assert ran.status == 1
    assert "line 1: was changed" in ran.err


def flip_a_bit(trained: Trained) -> Path:
    found = bytearray(trained.bundle.read_bytes())
    found[len(found) // 2] ^= 1
    trained.bundle.write_bytes(found)
    return trained.bundle


def edit_the_manifest(trained: Trained) -> Path:
    return _edited(trained, '"training_rows":', '"training_rows":1')


def swap_the_signature(trained: Trained) -> Path:
    return _edited(trained, '"signature":"', '"signature":"ffff')


def _edited(trained: Trained, before: str, after: str) -> Path:
    (path,) = trained.folder.glob("artifacts/*/artifacts/announcement.json")
    text = path.read_text("utf-8")
    cut = len(after) - len(before)
    place = text.index(before)
    rest = text[place + len(before) :]
    path.write_text(text[:place] + after + (rest[cut:] if before.endswith('"') else rest), "utf-8")
    return path


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (flip_a_bit, "bundle has SHA-256"),
        (edit_the_manifest, "signature is not by the trusted key"),
        (swap_the_signature, "signature is not by the trusted key"),
    ],
)
@pytest.mark.parametrize("command", ["promote", "card", "reproduce"])
def test_what_was_tampered_with_is_refused(
    run: Run, trained: Trained, command: str, tamper: Callable[[Trained], Path], says: str
) -> None:
    announcement = next(trained.folder.glob("artifacts/*/artifacts/announcement.json"))
    whole = {path: path.read_bytes() for path in (trained.bundle, announcement)}
    tamper(trained)
    given = [trained.version] if command == "reproduce" else ["--version", trained.version]
    try:
        ran = run(command, *given)
    finally:
        for path, content in whole.items():
            path.write_bytes(content)

    assert ran.status == 1
    assert f"offline {command}: champion king-county {trained.version}: {says}" in ran.err


@pytest.mark.parametrize("name", ["announcement.json", "recipe.json"])
def test_a_paper_that_is_none_any_more_is_named(run: Run, trained: Trained, name: str) -> None:
    (path,) = trained.folder.glob(f"artifacts/*/artifacts/{name}")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"{", b"[", 1))
    try:
        ran = run("card", "--version", trained.version)
    finally:
        path.write_bytes(whole)

    assert ran.status == 1
    assert f"offline card: {trained.version}: {name} was changed: " in ran.err
