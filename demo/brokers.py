"""Which brokers a run uses: those that are named, else one of its own."""

import secrets

from demo import config, settings
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
    folders.settings.write_text("", encoding="utf-8")
    programs.set_environment({CONFIG_FILE: str(folders.settings)})
    screen.step("Kafka")
    named = settings.named_brokers()
    if named is None:
        kafka = KafkaSettings(bootstrap_servers=_start(folders, programs))
        screen.say(f"a real broker of one node answers at {kafka.bootstrap_servers}")
    else:
        # Others may use that broker too: topics of this run's own.
        kafka = KafkaSettings(bootstrap_servers=named, prefix=f"demo-{secrets.token_hex(4)}")
        screen.say(f"KAFKA_BOOTSTRAP_SERVERS names {named}: none is started here")
    folders.settings.write_text(config.during_the_run(kafka, folders), encoding="utf-8")
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
