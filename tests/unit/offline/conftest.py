"""Small forests for all tests of offline, and a registry to copy for those that keep versions."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from mlflow import MlflowClient

from offline import train

TREES = 60  # what some hundred homes teach is learned by then; training takes a third of the time


@pytest.fixture(autouse=True, scope="session")
def small_forests() -> Iterator[None]:
    """Whoever trains without naming a shape chooses among small ones."""
    small = tuple(msgspec.structs.replace(shape, trees=TREES) for shape in train.SHAPES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "choose_shape", partial(train.choose_shape, shapes=small))
        yield


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database with its tables, to be copied: to make them takes seconds."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}")
    return path
