"""Settings of the offline programs; the only place here that reads the environment."""

import os
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from stream_app.contract import settings as text
from stream_app.contract.settings import KafkaSettings


class OfflineSettings(Struct, frozen=True):
    """Section OFFLINE."""

    model_store: str = "var/models"  # folder of <sha256>.skops
    signing_key_file: str = "var/keys/signing.key"  # made on first use, with its .pub beside it
    mlflow_tracking_uri: str = "sqlite:///var/mlflow/mlflow.db"
    mlflow_artifacts: str = "var/mlflow/artifacts"
    archive: str = "var/archive"  # what monitoring's archiver writes
    snapshots: str = "var/snapshots"
    trail_file: str = "var/mlflow/trail.jsonl"  # what was done to the models, and by whom
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    # The retraining worker. A request may say otherwise.
    worker_promotes: bool = False  # a passed gate promotes at once; else it waits for approval
    worker_logs: str = "var/worker"  # what each step says
    # The largest market so far (HDB since 1990) trains in minutes on one core.
    worker_step_within_s: Annotated[float, Meta(gt=0)] = 7_200.0
    worker_memory_mb: Annotated[int, Meta(ge=256)] = 4_096
    worker_again_after_s: Annotated[float, Meta(ge=0)] = 60.0  # a broker restarts in less


def from_environment() -> tuple[KafkaSettings, OfflineSettings]:
    """Read both sections from the environment and the settings file.

    Raises
    ------
    BadSettings : any mistake, or HOUSING_CONFIG names a file that cannot be read
    """
    given = text.gathered(os.environ, lambda path: Path(path).read_text(encoding="utf-8"))
    return text.read(KafkaSettings, given, "KAFKA"), text.read(OfflineSettings, given, "OFFLINE")
