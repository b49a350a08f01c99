"""Settings of the offline programs; the only place here that reads the environment."""

import os
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from stream_app.contract import settings as text
from stream_app.contract.settings import KafkaSettings

DEFAULT_CONFIG = "housing.toml"


class OfflineSettings(Struct, frozen=True):
    """Section OFFLINE."""

    model_store: str = "var/models"  # folder of <sha256>.skops
    signing_key_file: str = "var/keys/signing.key"  # made on first use, with its .pub beside it
    mlflow_tracking_uri: str = "sqlite:///var/mlflow/mlflow.db"
    mlflow_artifacts: str = "var/mlflow/artifacts"
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0


def from_environment() -> tuple[KafkaSettings, OfflineSettings]:
    """Read both sections from the environment and the settings file.

    Raises
    ------
    BadSettings : any mistake, or HOUSING_CONFIG names a file that cannot be read
    """
    given = text.merged(os.environ, _config_text(os.environ.get(text.CONFIG_FILE)))
    return text.read(KafkaSettings, given, "KAFKA"), text.read(OfflineSettings, given, "OFFLINE")


def _config_text(named: str | None) -> str:
    path = Path(named or DEFAULT_CONFIG)
    if named is None and not path.exists():
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise text.BadSettings(f"settings file {path}: {error}") from None
