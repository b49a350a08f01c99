"""Which brokers a run uses: those that are named, else one of its own."""

import secrets
from pathlib import Path

from demo import settings
from demo.config import settings_toml
from demo.folders import Folders
from demo.programs import Programs
from demo.screen import Screen
from stream_app.contract.settings import CONFIG_FILE, KafkaSettings

READY_WITHIN_S = 300.0  # the first run of all fetches 45 MB


def bring_up(folders: Folders, programs: Programs, screen: Screen) -> KafkaSettings:
    """Have brokers that answer, and tell all programs where, by a settings file.

    Raises
    ------
    ProgramFailed : no broker could be started
    """
    # Empty at first: it keeps programs from reading a housing.toml that lies here.
    programs.set_environment({CONFIG_FILE: str(_written(folders.settings, ""))})
    named = settings.named_brokers()
    screen.step("Kafka")
    if named is None:
        address = _start(folders, programs)
        screen.say(f"a real broker of one node answers at {address}")
    else:
        address = named
        screen.say(f"KAFKA_BOOTSTRAP_SERVERS names {address}: none is started here")
    # Own topics for each run, also on a broker that others use.
    kafka = KafkaSettings(bootstrap_servers=address, prefix=f"demo-{secrets.token_hex(4)}")
    _written(folders.settings, settings_toml(kafka, folders))
    return kafka


def _start(folders: Folders, programs: Programs) -> str:
    ready = folders.run / "broker.address"
    broker = programs.start(
        "broker",
        *("stream_app", "broker", "--data-dir", str(folders.broker)),
        *("--port", "0", "--ready-file", str(ready)),
    )
    programs.await_(ready.exists, READY_WITHIN_S, broker, "get ready")
    return ready.read_text(encoding="utf-8")


def _written(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file
