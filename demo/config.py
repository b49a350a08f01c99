"""The settings file of a run: every program of the demo reads it, and so may you afterwards."""

from collections.abc import Mapping, Sequence

from demo.folders import Folders
from stream_app.contract.settings import KafkaSettings

Sections = Mapping[str, Mapping[str, object]]


def during_the_run(kafka: KafkaSettings, folders: Folders, more: Sequence[Sections] = ()) -> str:
    """Settings of the programs that the demo starts; `more`: what else is to be set."""
    at = {"bootstrap_servers": kafka.bootstrap_servers, "prefix": kafka.prefix}
    sections: dict[str, dict[str, object]] = {"kafka": dict(at)}
    for each in (_places(folders), *more):
        for name, values in each.items():
            sections.setdefault(name, {}).update(values)
    return _toml(sections)


def afterwards(folders: Folders) -> str:
    """Settings to go on by hand: the run's own broker, started anew on the default port."""
    return _toml({"broker": {"data_dir": folders.broker}, **_places(folders)})


def _places(folders: Folders) -> Sections:
    key = folders.run / "keys" / "signing"
    mlflow = folders.run / "mlflow"
    return {
        "stream": {"model_store": folders.models, "trusted_key_file": f"{key}.pub"},
        "offline": {
            "model_store": folders.models,
            "signing_key_file": f"{key}.key",
            "mlflow_tracking_uri": f"sqlite:///{mlflow / 'mlflow.db'}",
            "mlflow_artifacts": mlflow / "artifacts",
            "trail_file": mlflow / "trail.jsonl",
        },
        "monitoring": {
            "archive_dir": folders.archive,
            "report_dir": folders.reports,
            "model_store": folders.models,
        },
    }


def _toml(sections: Sections) -> str:
    lines = ["# Written by the demo, and anew by its next run. HOUSING_CONFIG names it."]
    for section, values in sections.items():
        lines += ["", f"[{section}]"]
        lines += [f'{name} = "{value}"' for name, value in values.items()]
    return "\n".join([*lines, ""])
