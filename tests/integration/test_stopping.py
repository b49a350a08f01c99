"""SIGTERM ends a worker with 0 within seconds, whatever it is at. On the real broker."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS
from stream_app.shell import topics_admin
from tests.integration import brokers, pages
from tests.integration.oracle import check_exactly_once
from tests.integration.workers import (
    PARTITIONS,
    logged,
    market,
    publish,
    stop,
    until_applied,
    worker,
)
from tests.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.chaos]

WITHIN_S = 120.0
OPENS_NEVER = (sys.executable, "-m", "tests.integration.blocked_worker", "opening")


def assigned(log: Path, process: subprocess.Popen[bytes]) -> bool:
    return any(line["pid"] == process.pid for line in logged(log, "opening"))


def test_while_partitions_are_being_opened(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    with worker(environment, log, OPENS_NEVER) as process:
        until(lambda: assigned(log, process), WITHIN_S, "it was given partitions")
        assert stop(process) == 0


def test_while_another_worker_joins(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    publish(kafka, market(listings=600), EVENTS)

    with worker(environment, log, batch_max="20") as first:
        until(lambda: assigned(log, first), WITHIN_S, "the first one works")
        with worker(environment, log) as second:
            until(lambda: len(logged(log, "watched")) == 2, WITHIN_S, "the second one joins")
            assert stop(first) == 0
            until_applied(kafka)
            assert stop(second) == 0

    check_exactly_once(kafka)


def test_while_a_batch_is_at_work_it_is_finished_first(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    publish(kafka, market(listings=600), EVENTS)

    slow = {"chaos": "before_commit:delay=0.5", "batch_max": "50", "report_every_s": "0.1"}
    with worker(environment, log, **slow) as process:
        until(lambda: logged(log, "applied"), WITHIN_S, "a batch is committed, the next at work")
        assert stop(process) == 0
    with worker(environment, log) as process:
        until_applied(kafka)
        assert stop(process) == 0

    check_exactly_once(kafka)


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[tuple[KafkaSettings, subprocess.Popen[bytes]]]:
    """A broker of this test's own, to take away."""
    ready = tmp_path / "broker.ready"
    process = brokers.start_local(tmp_path / "broker", ready)
    try:
        until(ready.exists, brokers.READY_WITHIN_S, "the broker is ready")
        kafka = KafkaSettings(bootstrap_servers=ready.read_text())
        topics_admin.create(topics_admin.connect(kafka), kafka.prefix, PARTITIONS)
        yield kafka, process
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.skipif(
    "KAFKA_BOOTSTRAP_SERVERS" in os.environ, reason="a broker is named: none is started here"
)
def test_while_the_broker_is_away_which_alone_ends_nobody(
    lone: tuple[KafkaSettings, subprocess.Popen[bytes]], log: Path
) -> None:
    kafka, broker = lone
    port = brokers.free_port()
    environment = brokers.plain_environment({"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers})

    with worker(environment, log, stall_s="8", http_port=str(port)) as process:
        until(lambda: reasons(port, "/ready") == [], WITHIN_S, "the worker is ready")
        broker.terminate()
        broker.wait(60)
        until(
            lambda: "the broker does not answer" in (reasons(port, "/ready") or ()),
            WITHIN_S,
            "it sees that the broker is away",
        )
        since = until(lambda: pages.looks(port), WITHIN_S, "it has looked")
        until(lambda: pages.looks(port) > since + 1, WITHIN_S, "and goes on looking")
        until(lambda: reasons(port, "/health") == [], WITHIN_S, "nothing speaks against it")
        assert stop(process, 20) == 0

    assert not logged(log, "standing still")


def reasons(port: int, page: str) -> list[str] | None:
    """What it has to say against itself; None: nothing yet."""
    said: list[str] | None = pages.told(port, page).get("reasons")
    return said
