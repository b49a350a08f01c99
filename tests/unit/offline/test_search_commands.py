"""`compare` and `tune`: what they write, what they keep in MLflow, what they refuse."""

import json
import shutil
from pathlib import Path

import pytest

from offline import arguments, compare_command, search_options, tracking, tune_command, tuning
from offline.compare_command import NoSuchCandidate
from offline.settings import OfflineSettings
from offline.shape import read_shape
from tests import sales

# What MLflow 3.17 does with SQLAlchemy 2.1 is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

ASKED = "--market", sales.MARKET, "--events", "topic", "--train-to", "2015-06", "--folds", "2"


@pytest.fixture
def own(tmp_path: Path, empty_mlflow: Path) -> OfflineSettings:
    shutil.copy(empty_mlflow, tmp_path / "mlflow.db")
    return OfflineSettings(
        mlflow_tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}",
        mlflow_artifacts=str(tmp_path / "artifacts"),
    )


def test_a_comparison_is_a_table_a_result_and_runs_below_one(
    own: OfflineSettings, tmp_path: Path
) -> None:
    out = tmp_path / "table.md"
    given = arguments.parser().parse_args(
        ["compare", *ASKED, "--json", "--processes", "1", "--out", str(out)]
    )

    result = compare_command.run(given, own, sales.rows(), ["dummy", "ridge"], "compare this")

    told = json.loads(json.dumps(result))
    assert [each["name"] for each in told["candidates"]] == ["dummy", "ridge"]
    assert not told["candidates"][1]["promotable"]
    assert "| `ridge` |" in out.read_text("utf-8")
    mlflow = tracking.client(own)
    parent = mlflow.get_run(told["mlflow_run"])
    runs = mlflow.search_runs([parent.info.experiment_id])
    ridge = next(run for run in runs if run.info.run_name == "ridge")
    assert len(runs) == 3
    assert ridge.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert {"mae_mean", "mae_spread", "fit_s_mean", "ms_alone"} <= ridge.data.metrics.keys()
    assert parent.data.params["scikit-learn_version"]


def test_people_are_shown_the_table(own: OfflineSettings) -> None:
    given = arguments.parser().parse_args(["compare", *ASKED, "--processes", "1"])

    result = compare_command.run(given, own, sales.rows(), ["dummy"], "compare this")

    assert "| `dummy` |" in str(result["table"])


def test_a_kind_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(NoSuchCandidate, match="no 'rigde'; there are dummy, naive, ridge, "):
        compare_command.names(["rigde"])


def test_all_kinds_are_named_the_cheapest_first() -> None:
    assert compare_command.names(None)[0] == "dummy"
    assert compare_command.names(["ridge", "dummy"]) == ["dummy", "ridge"]


def test_a_search_writes_a_shape_that_train_takes(
    own: OfflineSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "TREES_MAX", 10)
    out = tmp_path / "deep" / "shape.json"
    given = arguments.parser().parse_args(
        ["tune", *ASKED, "--draws", "1", "--processes", "1", "--out", str(out)]
    )

    result = json.loads(json.dumps(tune_command.run(given, own, sales.rows())))

    assert read_shape(str(out)).trees <= 10
    assert result["best"]["shape"] == json.loads(out.read_text("utf-8"))
    assert (result["asked"], result["draws"]) == (1, 3)
    assert result["answer_gain"] == pytest.approx(
        1 - result["best"]["answer"]["mae"] / result["default"]["answer"]["mae"]
    )
    mlflow = tracking.client(own)
    runs = mlflow.search_runs([mlflow.get_run(result["mlflow_run"]).info.experiment_id])
    assert sorted(run.info.run_name for run in runs) == ["draw -1", "draw -2", "draw 0", "tune"]


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--folds", "1"), "'1': a whole number from 2 to 20 is wanted"),
        (("--draws", "101"), "'101': a whole number from 1 to 100 is wanted"),
        (("--budget-s", "nan"), "'nan': seconds above 0, a week at most, are wanted"),
        (("--budget-s", "soon"), "'soon': seconds above 0, a week at most, are wanted"),
    ],
)
def test_numbers_out_of_bounds_are_refused(
    option: tuple[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        arguments.parser().parse_args(["tune", *ASKED, *option])

    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


def test_a_budget_is_ten_minutes_if_nobody_says() -> None:
    assert arguments.parser().parse_args(["tune", *ASKED]).budget_s == search_options.BUDGET_S
