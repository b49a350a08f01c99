"""The settings file of a run: every program of the demo reads it, and so may you afterwards."""

from collections.abc import Mapping

from demo.folders import Folders
from stream_app.contract.settings import KafkaSettings


def settings_toml(kafka: KafkaSettings, folders: Folders) -> str:
    """All that differs from the defaults: this run's broker, prefix and folders."""
    key = folders.run / "keys" / "signing"
    mlflow = folders.run / "mlflow"
    sections: Mapping[str, Mapping[str, object]] = {
        "kafka": {"bootstrap_servers": kafka.bootstrap_servers, "prefix": kafka.prefix},
        "stream": {"model_store": folders.models, "trusted_key_file": f"{key}.pub"},
        "offline": {
            "model_store": folders.models,
            "signing_key_file": f"{key}.key",
            "mlflow_tracking_uri": f"sqlite:///{mlflow / 'mlflow.db'}",
            "mlflow_artifacts": mlflow / "artifacts",
        },
        "monitoring": {
            "archive_dir": folders.archive,
            "report_dir": folders.reports,
            "model_store": folders.models,
        },
    }
    return "\n".join(_lines(sections))


def _lines(sections: Mapping[str, Mapping[str, object]]) -> list[str]:
    lines = ["# Written by the demo, and anew by its next run. HOUSING_CONFIG names it."]
    for section, values in sections.items():
        lines += ["", f"[{section}]"]
        lines += [f'{name} = "{value}"' for name, value in values.items()]
    return [*lines, ""]
