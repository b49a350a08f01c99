"""Runs are kept in MLflow with what was given, one below the other, failed ones as failed."""

import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from offline import tracking
from offline.settings import OfflineSettings

# What MLflow 3.17 does with SQLAlchemy 2.1 is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


def logged(settings: OfflineSettings) -> NoReturn:
    with tracking.run(settings, "tune-x", "tune") as parent:
        parent.log({"seed": 3}, {"mae": 1.5, "unknown": None, "endless": float("inf")})
        parent.log_text("words", "table.md")
        with parent.child("draw 0"):
            pass
        raise ZeroDivisionError


def test_a_run_keeps_what_is_known_and_ends_as_its_block_does(
    tmp_path: Path, empty_mlflow: Path
) -> None:
    shutil.copy(empty_mlflow, tmp_path / "mlflow.db")
    settings = OfflineSettings(
        mlflow_tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}",
        mlflow_artifacts=str(tmp_path / "artifacts"),
    )

    with pytest.raises(ZeroDivisionError):
        logged(settings)

    mlflow = tracking.client(settings)
    runs = mlflow.search_runs([tracking.experiment(mlflow, settings, "tune-x")])
    kept, below = sorted(runs, key=lambda run: "mlflow.parentRunId" in run.data.tags)
    assert (kept.data.params, kept.data.metrics) == ({"seed": "3"}, {"mae": 1.5})
    assert (kept.info.status, below.info.status) == ("FAILED", "FINISHED")
    assert below.data.tags["mlflow.parentRunId"] == kept.info.run_id
    text = mlflow.download_artifacts(kept.info.run_id, "table.md", str(tmp_path))
    assert Path(text).read_text("utf-8") == "words"
