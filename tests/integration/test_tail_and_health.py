"""What a person and a container's probe see of a running worker."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest
from confluent_kafka import Producer

from stream_app.contract import wire
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, PARTITIONER, full_name
from stream_app.shell import children
from tests import builders
from tests.waiting import until

pytestmark = pytest.mark.broker


@pytest.fixture
def worker(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "stream_app", "worker"]
    process = children.start(command, environment=environment)
    yield process
    process.terminate()
    process.wait(30)


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

    assert told.wait(30) == 0
    told.stdout.close()
    assert unread.wait(30) == 141


def test_a_member_of_the_group_is_healthy_until_it_leaves(
    environment: Mapping[str, str], worker: subprocess.Popen[bytes]
) -> None:
    health = until(lambda: _healthy(environment), 30, "the worker is a member")
    assert health is not None
    assert "member with partitions [0, 1, 2, 3]" in health.stdout

    worker.terminate()
    worker.wait(30)

    gone = _run("health", environment=environment)
    assert gone.returncode == 1
    assert "has no member at" in gone.stderr


def test_a_frozen_worker_is_unhealthy_while_its_process_lives(
    environment: Mapping[str, str], worker: subprocess.Popen[bytes]
) -> None:
    until(lambda: _healthy(environment), 30, "the worker is a member")

    worker.send_signal(signal.SIGSTOP)

    until(lambda: not _healthy(environment), 40, "the broker has dropped it")
    assert worker.poll() is None
    worker.send_signal(signal.SIGCONT)


def _healthy(environment: Mapping[str, str]) -> subprocess.CompletedProcess[str] | None:
    done = _run("health", environment=environment)
    return done if "[0, 1, 2, 3]" in done.stdout else None


def _run(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stream_app", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=60,
    )


def _publish(kafka: KafkaSettings) -> None:
    listing = builders.listing()
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "partitioner": PARTITIONER, "acks": "all"}
    )
    producer.produce(full_name(kafka.prefix, EVENTS), wire.encode(listing), listing.region.encode())
    assert producer.flush(30) == 0
