"""A worker that stands still is ended and replaced; an idle one lives on. On the real broker."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from confluent_kafka import Producer

from stream_app.contract import wire
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, LEARNER_STATE, OUTCOMES, full_name
from stream_app.core.features import NAMES
from stream_app.shell.runner import EX_OUR_FAULT
from tests import messages
from tests.builders import listing
from tests.integration import pages
from tests.integration.brokers import free_port
from tests.integration.oracle import check_exactly_once
from tests.integration.workers import (
    LEARNER,
    logged,
    market,
    publish,
    read,
    stop,
    until_applied,
    worker,
)
from tests.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.slow]

WITHIN_S = 120.0
# Longer than this test's broker takes to open partitions; far shorter than the planted hang.
STALL_S = "6"
IDLE_S, IDLE_LOOKS = "8", 12  # it looks once a second
STREET = "Unter den Linden 77"
# Degrees that no clock shows: a line of the log was once written at 47.12 s.
HOME = {"street": STREET, "latitude": 67.123456, "longitude": -122.654321}
# A step that never comes back, in the thread of a partition.
HANG = "before_step:delay=3600@3"
SUPERVISED = (sys.executable, "-m", "stream_app", "supervise", "--stage", "scorer")
# The event loop is what hangs.
BLOCKED = (sys.executable, "-m", "tests.integration.blocked_worker", "loop")
OPENS_NEVER = (*BLOCKED[:-1], "opening")


def test_a_hanging_step_ends_the_worker(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    publish(kafka, market(listings=200), EVENTS)

    with worker(environment, log, chaos=HANG, stall_s=STALL_S, batch_max="20") as process:
        assert process.wait(WITHIN_S) == EX_OUR_FAULT

    (said,) = logged(log, "standing still")
    assert "in settle" in str(said["threads"])


def test_a_hanging_event_loop_ends_the_worker(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    publish(kafka, market(listings=20), EVENTS)

    with worker(environment, log, BLOCKED, stall_s=STALL_S) as process:
        assert process.wait(WITHIN_S) == EX_OUR_FAULT

    (said,) = logged(log, "standing still")
    assert "in hang" in str(said["threads"])


def test_partitions_that_never_open_end_the_worker(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    with worker(environment, log, OPENS_NEVER, stall_s=STALL_S) as process:
        assert process.wait(WITHIN_S) == EX_OUR_FAULT

    (said,) = logged(log, "standing still")
    assert "in open_never" in str(said["threads"])


def test_workers_that_hang_again_and_again_are_replaced_until_all_is_done(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    events = market(listings=30)
    publish(kafka, events, EVENTS)

    hang = "before_step:delay=3600@6"  # each life gets through five batches
    with worker(
        environment, log, SUPERVISED, chaos=hang, stall_s=STALL_S, batch_max="10"
    ) as process:
        until_applied(kafka)
        assert stop(process, 30) == 0

    assert logged(log, "standing still")
    check_exactly_once(kafka)


def test_an_idle_worker_lives_on_and_no_log_says_where_a_home_is(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    publish(kafka, [listing(**HOME), listing(**HOME, listing_id="x", area_m2=-1.0)], EVENTS)
    port = free_port()
    told = {"http_port": str(port), "log_level": "debug", "report_every_s": "0.1"}

    with worker(environment, log, stall_s=IDLE_S, **told) as process:
        until(lambda: logged(log, "applied"), WITHIN_S, "both events are applied")
        since = until(lambda: pages.looks(port), WITHIN_S, "it has looked")
        until(lambda: pages.looks(port) > since + IDLE_LOOKS, WITHIN_S, "idle beyond the limit")
        assert stop(process) == 0

    assert logged(log, "predicted")
    assert logged(log, "rejected")
    assert not logged(log, "standing still")
    assert not [told for told in (STREET, "67.12", "122.65") if told in log.read_text()]


def test_without_a_limit_the_hang_stays(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    publish(kafka, market(listings=200), EVENTS)
    port = free_port()
    told = {"chaos": HANG, "batch_max": "20", "http_port": str(port)}

    with worker(environment, log, stall_s="inf", **told) as process:
        until(lambda: still_s(port) > 2 * float(STALL_S), WITHIN_S, "still for twice the limit")
        assert process.poll() is None


def still_s(port: int) -> float:
    """How long the partition that is worst off has stood still; 0 while there is none."""
    return max((one["still_s"] for one in pages.partitions(port).values()), default=0.0)


def test_the_marker_of_a_transaction_is_no_lag(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": f"{kafka.prefix}-test"}
    )
    producer.init_transactions()
    producer.begin_transaction()
    outcome = messages.outcome(features=(None,) * len(NAMES))
    producer.produce(
        full_name(kafka.prefix, OUTCOMES), wire.encode(outcome), outcome.market, partition=0
    )
    producer.commit_transaction()
    port = free_port()

    with worker(environment, log, LEARNER, stall_s=IDLE_S, http_port=str(port)) as process:
        until(lambda: read(kafka, LEARNER_STATE, 0), WITHIN_S, "the outcome is learned")
        until(lambda: place(port) == (2, 2, 0), WITHIN_S, "no lag")
        since = until(lambda: pages.looks(port), WITHIN_S, "it has looked")
        until(lambda: pages.looks(port) > since + IDLE_LOOKS, WITHIN_S, "and it lives on")
        assert stop(process) == 0


def place(port: int) -> tuple[int, int, int] | None:
    """Next offset, end and lag of the first partition; None before it is open."""
    one = pages.partitions(port).get("0")
    return None if one is None else (one["next_offset"], one["end"], one["lag"])
