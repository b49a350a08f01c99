"""housing.example.toml names every setting with its default."""

from pathlib import Path

import msgspec
import pytest

from monitoring.settings import MonitoringSettings, NotifySettings
from offline.settings import OfflineSettings
from producers.settings import ProducerSettings
from stream_app.contract.settings import SECTIONS, KafkaSettings, merged, read
from stream_app.shell.broker_settings import BrokerSettings
from stream_app.shell.settings import StreamSettings

EXAMPLE = Path(__file__).parents[2] / "housing.example.toml"
KINDS: dict[str, type[msgspec.Struct]] = {
    "KAFKA": KafkaSettings,
    "BROKER": BrokerSettings,
    "STREAM": StreamSettings,
    "PRODUCERS": ProducerSettings,
    "OFFLINE": OfflineSettings,
    "MONITORING": MonitoringSettings,
    "NOTIFY": NotifySettings,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_example_names_every_setting_with_its_default(section: str) -> None:
    kind = KINDS[section]
    given = merged({}, EXAMPLE.read_text(encoding="utf-8"))

    named = {key for key in given if key.startswith(f"HOUSING_{section}_")}

    assert named == {f"HOUSING_{section}_{f.upper()}" for f in kind.__struct_fields__}
    assert read(kind, given, section) == kind()
