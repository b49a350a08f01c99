"""A prediction rebuilt from the log by the command, and one that somebody has changed."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from stream_app.__main__ import main
from stream_app.contract import wire
from stream_app.contract.models import AliasSet
from stream_app.contract.predictions import Prediction
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, MODELS, PREDICTIONS, full_name
from stream_app.shell import explain
from tests import champions
from tests.builders import MARKET
from tests.integration.workers import (
    PARTITIONS,
    logged,
    market,
    publish,
    read,
    stop,
    until_applied,
    until_seen,
    worker,
)
from tests.waiting import until

pytestmark = pytest.mark.broker

LISTINGS = 600  # in 40 regions: enough of each that it has a typical home


@pytest.fixture
def served(
    kafka: KafkaSettings, environment: Mapping[str, str], tmp_path: Path, log: Path
) -> Mapping[str, str]:
    """A log that a worker with a real champion has served; the settings to explain it with."""
    given = champions.announced()
    (tmp_path / given.announced.address).write_bytes(given.bundle)
    told = {
        "HOUSING_STREAM_MODEL_STORE": str(tmp_path),
        "HOUSING_STREAM_TRUSTED_KEY": champions.TRUSTED_KEY.hex(),
    }
    events = market(LISTINGS)
    half = len(events) // 2
    publish(kafka, events[:half], EVENTS)
    with worker({**environment, **told}, log) as process:
        until_seen(kafka, PREDICTIONS, LISTINGS // 4)
        _announce(kafka, given)
        until(lambda: logged(log, "champion serves"), 120, "the champion serves")
        publish(kafka, events[half:], EVENTS)
        until_applied(kafka)
        assert stop(process) == 0
    return {**environment, **told}


def _announce(kafka: KafkaSettings, given: champions.Announced) -> None:
    version = given.announced.manifest.version
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    topic = full_name(kafka.prefix, MODELS)
    producer.produce(topic, wire.encode(given.announced), f"{MARKET}/champion/{version}")
    alias = AliasSet(market=MARKET, alias="champion", version=version, reason="a test")
    producer.produce(topic, wire.encode(alias), f"{MARKET}/alias/champion")
    producer.produce(topic, b"?", "no model message")  # nor anything that hides the others
    assert producer.flush(30) == 0


def predictions(kafka: KafkaSettings, partition: int) -> list[Prediction]:
    seen = read(kafka, PREDICTIONS, partition)
    return [wire.decode_prediction(each.value or b"") for each in seen]


def explained(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stream_app", "explain", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=120,
    )


def newest_with_reasons(kafka: KafkaSettings) -> Prediction:
    """The last prediction of a partition that has all there is to explain."""
    said = [each for p in range(PARTITIONS) for each in predictions(kafka, p)]
    return next(each for each in reversed(said) if each.reasons and each.price is not None)


def test_a_prediction_is_rebuilt_from_the_log_and_a_changed_one_is_not(
    kafka: KafkaSettings, served: Mapping[str, str]
) -> None:
    said = newest_with_reasons(kafka)

    done = explained(served, said.prediction_id)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "rebuilt bit for bit: yes" in done.stdout
    assert f"champion {said.versions.champion}" in done.stdout
    assert said.listing_id in done.stdout

    add(kafka, msgspec.structs.replace(said, price=(said.price or 0.0) + 1.0))
    changed = explained(served, said.prediction_id, "--json")

    assert changed.returncode == 1
    told = json.loads(changed.stdout)
    assert told["rebuilt_bit_for_bit"] is False
    assert told["first_difference"] == {
        "field": "price",
        "recorded": (said.price or 0.0) + 1.0,
        "rebuilt": said.price,
    }


def add(kafka: KafkaSettings, forged: Prediction) -> None:
    """Write a record that compaction would keep in the place of the true one."""
    topic, partition = full_name(kafka.prefix, PREDICTIONS), forged.source_partition
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    producer.produce(topic, wire.encode(forged), forged.listing_id, partition)
    assert producer.flush(30) == 0


def test_an_unknown_prediction_is_said_to_be_unknown(environment: Mapping[str, str]) -> None:
    done = explained(environment, "p-unknown")

    assert done.returncode == 1
    assert done.stderr.startswith("no prediction p-unknown on ")
    assert done.stdout == ""


def test_without_a_broker_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setattr(explain, "_ANSWERS_WITHIN_S", 0.5)

    assert main(["explain", "p-1"]) == 1

    told = capfd.readouterr().err
    assert told.startswith("no Kafka answers at 127.0.0.1:1")
    assert told.count("\n") == 1
