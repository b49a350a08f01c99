"""What a person and a container's probe see of a running worker."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from confluent_kafka import Producer

from stream_app.contract import wire
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, PARTITIONER, PREDICTIONS, full_name
from stream_app.shell import children
from tests import builders, messages
from tests.integration import pages
from tests.integration.brokers import free_port
from tests.waiting import until

pytestmark = pytest.mark.broker


@pytest.fixture
def environment(environment: Mapping[str, str]) -> Mapping[str, str]:
    """With pages where the probe finds them."""
    return {**environment, "HOUSING_STREAM_HTTP_PORT": str(free_port())}


@pytest.fixture
def worker(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "stream_app", "worker"]
    process = children.start(command, environment=environment)
    yield process
    process.kill()  # also one that is frozen
    process.wait()


def test_a_listing_is_seen_in_the_tail_in_one_readable_line(
    kafka: KafkaSettings, environment: Mapping[str, str], worker: subprocess.Popen[bytes]
) -> None:
    _publish(kafka)

    done = _run("tail", "--from-start", "--count", "1", environment=environment)

    assert done.returncode == 0
    assert done.stdout.startswith(f"2014-07-14  {builders.REGION}  {builders.LISTING_ID}  ")
    assert "degraded (no_champion" in done.stdout


def test_the_tail_ends_well_when_it_is_told_to_or_nobody_reads_it(
    kafka: KafkaSettings, environment: Mapping[str, str], worker: subprocess.Popen[bytes]
) -> None:
    command = [sys.executable, "-m", "stream_app", "tail", "--from-start"]
    told, unread = (
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(2)
    )
    _publish(kafka)
    assert told.stdout is not None
    assert unread.stdout is not None
    unread.stdout.close()

    assert told.stdout.readline()
    told.terminate()

    assert told.wait(60) == 0
    told.stdout.close()
    assert unread.wait(60) == 141


def test_the_tail_waits_for_topics_that_are_made_after_it_and_misses_nothing(
    kafka: KafkaSettings, environment: Mapping[str, str]
) -> None:
    later = full_name(f"{kafka.prefix}-later", PREDICTIONS)
    environment = {**environment, "HOUSING_KAFKA_PREFIX": f"{kafka.prefix}-later"}
    command = [sys.executable, "-m", "stream_app", "tail", "--count", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True) as tail:
        try:
            assert tail.stderr is not None
            assert f"there is no topic {later}" in tail.stderr.readline()

            assert _run("topics", "create", environment=environment).returncode == 0
            producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
            said = wire.encode(messages.prediction())
            producer.produce(later, key=builders.LISTING_ID, value=said)
            assert producer.flush(30) == 0

            told, complaints = tail.communicate(timeout=60)
        finally:
            tail.kill()
    assert (tail.returncode, complaints) == (0, "")
    assert builders.LISTING_ID in told


def test_a_worker_is_ready_when_its_partitions_are_open_and_gone_when_it_ends(
    kafka: KafkaSettings, environment: Mapping[str, str], worker: subprocess.Popen[bytes]
) -> None:
    _publish(kafka)

    ready = until(lambda: _is_ready(environment), 120, "all partitions are open and looked at")
    assert all(one["end"] is not None for one in ready["partitions"].values())

    worker.terminate()
    worker.wait(60)

    gone = _run("health", environment=environment)
    assert gone.returncode == 1
    assert "nobody answers at" in gone.stderr


def test_a_frozen_worker_is_unwell_while_its_process_lives(
    environment: Mapping[str, str], worker: subprocess.Popen[bytes]
) -> None:
    until(lambda: _is_ready(environment), 120, "the worker is ready")

    worker.send_signal(signal.SIGSTOP)

    assert "nobody answers" in _run("health", environment=environment).stderr
    assert worker.poll() is None
    worker.send_signal(signal.SIGCONT)


def test_the_metrics_of_a_worker_follow_what_it_committed(
    kafka: KafkaSettings, environment: Mapping[str, str], worker: subprocess.Popen[bytes]
) -> None:
    _publish(kafka)
    port = int(environment["HOUSING_STREAM_HTTP_PORT"])
    until(lambda: _is_ready(environment), 120, "the worker is ready")

    scored = r'housing_events_total{kind="listing",partition="\d",verdict="scored"} 1.0'
    page = until(
        lambda: re.search(scored, pages.text(port, "/metrics")), 120, "the listing is counted"
    ).string

    assert 'housing_predictions_total{champion="none",market="king-county"' in page
    assert re.search(r"^process_resident_memory_bytes \d", page, re.MULTILINE)
    assert "housing_latency_seconds_count 1.0" in page


def _is_ready(environment: Mapping[str, str]) -> dict[str, Any] | None:
    done = _run("health", "--ready", environment=environment)
    return None if done.returncode or '"3"' not in done.stdout else json.loads(done.stdout)


def _run(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stream_app", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=120,
    )


def _publish(kafka: KafkaSettings) -> None:
    listing = builders.listing()
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "partitioner": PARTITIONER, "acks": "all"}
    )
    producer.produce(full_name(kafka.prefix, EVENTS), wire.encode(listing), listing.region.encode())
    assert producer.flush(30) == 0
