"""Versions on a real broker: who serves is told at once or not at all, and MLflow is mended by it."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from offline import announced
from offline.__main__ import main
from offline.registry import Registry
from offline.settings import from_environment
from stream_app.contract import wire
from stream_app.contract.models import Alias
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import ACTIVATIONS, EVENTS, PARTITIONER, PREDICTIONS, full_name
from tests import builders, messages, sales

pytestmark = [
    pytest.mark.broker,
    # What MLflow 3.17 does with SQLAlchemy 2.1 is not ours to mend.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),
]

SHAPE = '{"loss": "squared_error", "leaves": 7, "trees": 10}'
NO_GATE = "--without-gate", "a test"
Run = Callable[..., dict[str, object]]


@pytest.fixture
def run(
    kafka: KafkaSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Run:
    """A command, with folders of its own; its result, and how it ended."""
    own = {
        "OFFLINE_MODEL_STORE": tmp_path / "models",
        "OFFLINE_SIGNING_KEY_FILE": tmp_path / "keys" / "signing.key",
        "OFFLINE_MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
        "OFFLINE_MLFLOW_ARTIFACTS": tmp_path / "artifacts",
        "OFFLINE_TRAIL_FILE": tmp_path / "trail.jsonl",
        "KAFKA_PREFIX": kafka.prefix,
    }
    for name, value in own.items():
        monkeypatch.setenv(f"HOUSING_{name}", str(value))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)

    def started(command: str, *given: str) -> dict[str, object]:
        status = main([command, "--market", sales.MARKET, *given, "--json"])
        out, err = capfd.readouterr()
        result: dict[str, object] = json.loads(out) if out else {}
        return result | {"status": status, "err": err}

    return started


def send(kafka: KafkaSettings, homes: int, first: int = 0) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "partitioner": PARTITIONER})
    for event in sales.events(homes)[first:]:
        producer.produce(full_name(kafka.prefix, EVENTS), builders.raw(event), event.region)
    assert producer.flush(30) == 0


def trained(run: Run, to: str) -> str:
    made = run("train", "--events", "topic", "--train-to", to, "--shape", SHAPE)
    assert made["status"] == 0, made["err"]
    return str(made["version"])


def test_a_version_is_promoted_repaired_traced_and_made_again(
    kafka: KafkaSettings, run: Run
) -> None:
    send(kafka, 1_200)
    first, second = trained(run, "2015-03"), trained(run, "2015-06")

    refused = run("promote", "--version", second)
    assert refused["status"] == 1
    assert "the gate never judged it" in str(refused["err"])
    run("promote", "--version", first, *NO_GATE)
    looked = run("promote", "--version", second, *NO_GATE, "--dry-run")
    assert looked["changed"] == {
        "previous": f"nobody -> {first}",
        "champion": f"{first} -> {second}",
    }
    assert announced.read(kafka, sales.MARKET).aliases == {"champion": first}
    run("promote", "--version", second, *NO_GATE)
    serving = {"champion": second, "previous": first}
    now = announced.read(kafka, sales.MARKET)
    assert now.aliases == serving
    assert now.serving is not None
    assert now.serving.replaces == first
    assert now.serving.expected_shift[0].segment == ""
    assert looked["expected_shift"] == [
        msgspec.to_builtins(shift) for shift in now.serving.expected_shift
    ]

    # As if the command had died between broker and MLflow.
    Registry(from_environment()[1], sales.MARKET).set_alias(Alias.CHAMPION, first)
    assert run("versions", "--repair")["repaired"] == {"champion": second}
    assert run("versions")["registry"] == {**serving, "challenger": second}

    held = run("retire", "--version", "previous")
    assert held["status"] == 1
    assert f"{first} is previous on housing.models, previous on MLflow" in str(held["err"])

    tell_of_service(kafka, first)
    traced = run("lineage", "--version", "previous")
    assert traced["served"] == [
        {"partition": 0, "role": "champion", "from_offset": 0, "to_offset": 5, "predictions": 1},
    ]
    assert traced["predictions"] == 1

    send(kafka, 1_250, first=2_400)
    again = run("reproduce", second)
    assert (again["status"], again["exact"]) == (0, True), again


def test_who_was_never_of_use_is_retired_with_its_files(
    kafka: KafkaSettings, run: Run, tmp_path: Path
) -> None:
    send(kafka, 1_200)
    first = trained(run, "2015-03")
    files = set((tmp_path / "models").iterdir())
    trained(run, "2015-06")
    given = "--version", first, "--remove-files", "--reason", "too small"

    assert run("retire", *given, "--dry-run")["status"] == 0
    assert files <= set((tmp_path / "models").iterdir())
    retired = run("retire", *given)

    assert retired["status"] == 0, retired["err"]
    assert not files & set((tmp_path / "models").iterdir())
    refused = run("promote", "--version", first, *NO_GATE)
    assert "is retired: too small" in str(refused["err"])
    anew = run("train", "--events", "topic", "--train-to", "2015-03", "--shape", SHAPE)
    assert f"{first} is retired: too small" in str(anew["err"])


def tell_of_service(kafka: KafkaSettings, version: str) -> None:
    """What a scorer would have written of five offsets, one of them a listing."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for offset, champion in ((0, version), (5, "c2")):
        change = messages.activated(
            partition=0, from_offset=offset, market=sales.MARKET, champion=champion
        )
        producer.produce(
            full_name(kafka.prefix, ACTIVATIONS), wire.encode(change), "0", partition=0
        )
    said = messages.prediction(source_partition=0, source_offset=3)
    versions = type(said.versions)(version, None, said.versions.feature_set)
    said = messages.prediction(source_partition=0, source_offset=3, versions=versions)
    producer.produce(
        full_name(kafka.prefix, PREDICTIONS), wire.encode(said), said.listing_id, partition=0
    )
    assert producer.flush(30) == 0
