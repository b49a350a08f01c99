"""The one broker of all integration tests, and topics of one's own for each."""

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import TOPICS, full_name
from stream_app.shell import topics_admin
from tests import champions
from tests.integration import brokers
from tests.integration.staged import ANNOUNCED, Stage

_USED: list[str] = []
_SHOWN_LETTERS = 8_000  # of a log: some thirty lines, or one traceback


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap address of a real Kafka, shared by the whole session."""
    with brokers.any_broker(tmp_path_factory.mktemp("broker"), _USED.append) as address:
        yield address


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which broker it was: what holds on one may not hold on another."""
    if _USED:
        terminalreporter.section("broker", sep="-")
        for line in _USED:
            terminalreporter.write_line(line)


@pytest.fixture
def fresh_prefix(broker: str) -> KafkaSettings:
    """Settings with a prefix that nobody else has. No topic is there yet."""
    return KafkaSettings(bootstrap_servers=broker, prefix=f"t{uuid.uuid4().hex[:12]}")


@pytest.fixture
def kafka(fresh_prefix: KafkaSettings) -> Iterator[KafkaSettings]:
    """All topics, under a prefix of this test's own, four partitions; gone afterwards."""
    admin = topics_admin.connect(fresh_prefix)
    topics_admin.create(admin, fresh_prefix.prefix)
    yield fresh_prefix
    admin.delete_topics([full_name(fresh_prefix.prefix, topic) for topic in TOPICS])


@pytest.fixture
def environment(kafka: KafkaSettings) -> Mapping[str, str]:
    """What a program that is started as a subprocess must be told."""
    return brokers.plain_environment(
        {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "HOUSING_KAFKA_PREFIX": kafka.prefix,
        }
    )


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """Where the workers of this test log; pytest shows how it ends when the test fails."""
    path = tmp_path / "worker.log"
    path.touch()
    yield path
    print(path.read_text(encoding="utf-8", errors="replace")[-_SHOWN_LETTERS:])


@pytest.fixture
def stage(kafka: KafkaSettings, environment: Mapping[str, str], tmp_path: Path, log: Path) -> Stage:
    """A worker's surroundings, with champions to serve."""
    store = tmp_path / "models"
    store.mkdir()
    for bundle, told in ANNOUNCED.values():
        (store / told.address).write_bytes(bundle)
    settings = {"model_store": str(store), "trusted_key": champions.TRUSTED_KEY.hex()}
    return Stage(kafka, environment, log, settings)
