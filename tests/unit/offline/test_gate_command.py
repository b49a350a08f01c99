"""The command judges, keeps its verdict with the version, and leaves whoever serves alone."""

import json
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from offline import criteria
from offline.__main__ import main
from offline.promote import PASSED
from offline.registry import Registry
from offline.settings import from_environment
from stream_app.contract.models import Alias
from tests import builders, sales

# What MLflow 3.17 does with SQLAlchemy 2.1 is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

SHAPE = '{"loss": "absolute_error", "leaves": 7, "trees": 20}'
# 1,200 homes in ten months leave some 200 to judge by, and their intervals hold what chance gives.
SMALL = {
    "homes_min": 100,
    "coverage_min": 0.5,
    "coverage_max": 1.0,
    "false_discoveries_max": 0.0001,
}


class Here:
    """A registry with one version, and a log."""

    def __init__(self, folder: Path) -> None:
        self.events, self.criteria = folder / "events.jsonl", folder / "small.toml"
        self.events.write_bytes(b"\n".join(map(builders.raw, sales.events())))
        text = resources.files("offline").joinpath(criteria.SHIPPED).read_text("utf-8")
        for name, value in SMALL.items():
            was = getattr(criteria.shipped(), name)
            text = text.replace(f"{name} = {was}", f"{name} = {value}")
        self.criteria.write_text(text)

    @property
    def versions(self) -> Registry:
        return Registry(from_environment()[1], sales.MARKET)

    def run(self, command: str, *options: str) -> int:
        given = "--market", sales.MARKET, "--events", str(self.events), "--json"
        return main([command, *given, *options])

    def gate(self, *options: str) -> int:
        given = "--criteria", str(self.criteria), "--label-delay-days", "5"
        return self.run("gate", *given, *options)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, empty_mlflow: Path) -> Iterator[Here]:
    folder = tmp_path_factory.mktemp("gate")
    shutil.copy(empty_mlflow, folder / "mlflow.db")
    own = {
        "MODEL_STORE": folder / "models",
        "SIGNING_KEY_FILE": folder / "keys" / "signing.key",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "MLFLOW_ARTIFACTS": folder / "artifacts",
        "TRAIL_FILE": folder / "trail.jsonl",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in own.items():
            patch.setenv(f"HOUSING_OFFLINE_{name}", str(value))
        found = Here(folder)
        assert found.run("train", "--train-to", "2015-06-01", "--shape", SHAPE) == 0
        yield found


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_a_first_version_is_judged_against_the_naive_price(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here.gate() == 0

    verdict = last_line(capsys)
    assert (verdict["passed"], verdict["champion"]) == (True, None)
    assert here.versions.gate_of(verdict["version"], None) == PASSED
    paper = json.loads(here.versions.paper(verdict["version"], "gate.json") or "")
    assert paper["criteria"]["homes_min"] == SMALL["homes_min"]
    assert [f["criterion"] for f in paper["findings"]] == [
        f["criterion"] for f in verdict["findings"]
    ]


def test_a_version_that_does_not_pass_ends_with_1_and_its_reasons(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    """The champion against itself is no better."""
    version = here.versions.alias(Alias.CHALLENGER)
    assert version is not None
    here.versions.set_alias(Alias.CHAMPION, version)

    assert here.gate() == 1

    verdict = last_line(capsys)
    assert verdict["passed"] is False
    assert [reason.split(":")[0] for reason in verdict["reasons"]] == ["gain", "chance"]
    assert here.versions.alias(Alias.CHAMPION) == version
    assert (here.versions.gate_of(version, version) or "").startswith("gain: ")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--version", "c404"), "has no version 'c404'"),
        (("--criteria", "none.toml"), "none.toml: [Errno 2]"),
    ],
    ids=["version", "criteria"],
)
def test_wrong_input_ends_with_2_and_names_it(
    here: Here, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], told: str
) -> None:
    assert here.gate(*options) == 2
    assert told in capsys.readouterr().err


def test_a_fit_that_is_gone_from_the_store_cannot_be_judged(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    versions = here.versions
    version = versions.alias(Alias.CHALLENGER) or ""
    bundle = Path(from_environment()[1].model_store) / versions.judged(version).address
    kept = bundle.read_bytes()
    bundle.unlink()

    assert here.gate() == 2
    assert "cannot be judged" in capsys.readouterr().err
    bundle.write_bytes(kept)
