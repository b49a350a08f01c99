"""Experiments and runs in MLflow: parameters, metrics, texts, one run below another.

Not here: versions and aliases of models (registry.py).
"""

import logging
import math
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from offline.settings import OfflineSettings

_SQLITE = "sqlite:///"
_PARENT_TAG = "mlflow.parentRunId"  # MLflow's own: its pages show the run below that one
FAILURE_TAG = "failure"
_TAG_LETTERS_MAX = 4_000  # that MLflow takes, and some
_PARAM_LETTERS_MAX = 6_000  # that MLflow takes
_LIBRARIES = ("scikit-learn", "numpy", "river", "skops")


def client(settings: OfflineSettings) -> MlflowClient:
    """MLflow, without its chatter, and with a folder for its file if it is one."""
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    if settings.mlflow_tracking_uri.startswith(_SQLITE):
        file = Path(settings.mlflow_tracking_uri.removeprefix(_SQLITE))
        file.parent.mkdir(parents=True, exist_ok=True)
    return MlflowClient(settings.mlflow_tracking_uri)


def experiment(mlflow: MlflowClient, settings: OfflineSettings, name: str) -> str:
    """Number of the experiment of that name; made when there is none."""
    found = mlflow.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    folder = Path(settings.mlflow_artifacts).absolute()
    return str(mlflow.create_experiment(name, folder.as_uri()))


def texts(settings: OfflineSettings, run_id: str) -> Path:
    """Where a run's texts lie: where MLflow puts them, below the folder of the settings.

    MLflow notes that folder's absolute path for good: without the settings, a registry that was
    moved, or copied to another machine, would have lost them.
    """
    return Path(settings.mlflow_artifacts, run_id, "artifacts")


def keep_text(settings: OfflineSettings, run_id: str, text: str, name: str) -> None:
    """Keep a text with a run, as a file; the newest of a name holds."""
    folder = texts(settings, run_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")


class Run(NamedTuple):
    """A run that is under way."""

    mlflow: MlflowClient
    settings: OfflineSettings
    experiment: str
    run_id: str

    def log(self, params: Mapping[str, object], metrics: Mapping[str, float | None]) -> None:
        """Keep parameters and metrics; a metric that is unknown, or no number, is not kept."""
        now_ms = int(time.time() * 1000)
        known = {k: v for k, v in metrics.items() if v is not None and math.isfinite(v)}
        self.mlflow.log_batch(
            self.run_id,
            [Metric(name, value, now_ms, 0) for name, value in known.items()],
            [Param(name, str(value)[:_PARAM_LETTERS_MAX]) for name, value in params.items()],
        )

    def log_text(self, text: str, name: str) -> None:
        """Keep a text as a file."""
        keep_text(self.settings, self.run_id, text, name)

    def child(self, name: str) -> AbstractContextManager["Run"]:
        """Begin a run that belongs to this one."""
        parent = {_PARENT_TAG: self.run_id}
        return _started(self.mlflow, self.settings, self.experiment, name, parent)


def run(settings: OfflineSettings, of: str, name: str) -> AbstractContextManager[Run]:
    """Begin a run of the experiment of that name; left by an exception, it has failed: why is kept."""
    mlflow = client(settings)
    return _started(mlflow, settings, experiment(mlflow, settings, of), name)


@contextmanager
def _started(
    mlflow: MlflowClient,
    settings: OfflineSettings,
    experiment: str,
    name: str,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Run]:
    run_id = mlflow.create_run(experiment, run_name=name, tags=dict(tags)).info.run_id
    try:
        yield Run(mlflow, settings, experiment, run_id)
    except BaseException as error:
        reason = f"{type(error).__name__}: {error}"
        mlflow.set_tag(run_id, FAILURE_TAG, reason[:_TAG_LETTERS_MAX])
        mlflow.set_terminated(run_id, "FAILED")
        raise
    mlflow.set_terminated(run_id)


def versions() -> dict[str, str]:
    """Of the libraries that decide the numbers."""
    found = {f"{name}_version": version(name) for name in _LIBRARIES}
    return found | {"python_version": platform.python_version()}
