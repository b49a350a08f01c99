"""A planted drift on a real broker: decided, asked for once, whenever the watcher is killed."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from monitoring.alerting import topic
from monitoring.alerts_topic import AlertsTopic
from monitoring.broker import NoBroker
from stream_app.contract import wire
from stream_app.contract.alerts import (
    Decision,
    NextStep,
    PreflightRequested,
    RetrainRequested,
)
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import MODELS, OUTCOMES, full_name
from tests import flow, messages
from tests.integration import archiving
from tests.waiting import until

pytestmark = pytest.mark.broker

WITHIN_S = 60.0
Said = TypeVar("Said", Decision, PreflightRequested, RetrainRequested)


def publish_drift(kafka: KafkaSettings) -> None:
    """A champion, 400 sales as it was trained for, and 200 an eighth dearer."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    champion = flow.manifest()
    shock_ms = flow.START_MS + 40 * DAY_MS
    sold = [*flow.pairs(400), *flow.pairs(200, 2, 400, shock_log=0.12, start_ms=shock_ms)]
    said = [
        (MODELS, "champion", messages.champion(manifest=champion)),
        (MODELS, "alias", messages.alias(version=champion.version)),
        *((OUTCOMES, flow.MARKET, pair.outcome) for pair in sold),
    ]
    for where, key, message in said:
        producer.produce(full_name(kafka.prefix, where), wire.encode(message), key)
    assert producer.flush(WITHIN_S) == 0


@contextmanager
def watching(
    environment: Mapping[str, str], archive: Path, log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the real watcher, and kill it."""
    quick = {"HOUSING_MONITORING_WATCH_EVERY_S": "0.2"}
    command = [sys.executable, "-m", "monitoring", "watch", "--dir", str(archive)]
    with log.open("ab") as words:
        process = subprocess.Popen(command, env={**environment, **quick}, stderr=words)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def test_a_drift_is_asked_about_once_and_answered_by_a_retraining_though_the_watcher_is_killed(
    kafka: KafkaSettings, environment: Mapping[str, str], tmp_path: Path, log: Path
) -> None:
    def said(kind: type[Said]) -> list[Said]:
        return [message for message in topic.read(kafka) if isinstance(message, kind)]

    publish_drift(kafka)
    archiving.archive_once(tmp_path / "archive", environment)
    with watching(environment, tmp_path / "archive", log):
        (asked,) = until(lambda: said(PreflightRequested), WITHIN_S, "a pre-flight is asked for")
    answer = messages.preflight_measured(measured_ms=asked.requested_ms)
    topic.tell(kafka, [answer])
    with watching(environment, tmp_path / "archive", log):
        until(lambda: said(RetrainRequested), WITHIN_S, "a retraining is asked for")
    third_log = tmp_path / "third.log"  # the others may be killed before they tell
    with watching(environment, tmp_path / "archive", third_log) as last:
        until(lambda: "rows read" in third_log.read_text(), WITHIN_S, "a third look")
        last.terminate()
        assert last.wait(WITHIN_S) == 0

    assert len(said(PreflightRequested)) == len(said(RetrainRequested)) == 1
    steps = [m.next_step for m in said(Decision) if m.request_id is not None]
    assert steps == [NextStep.PREFLIGHT, NextStep.RETRAIN]


def test_a_second_watcher_fences_the_first(kafka: KafkaSettings) -> None:
    first = AlertsTopic(kafka, "watcher")
    second = AlertsTopic(kafka, "watcher")

    with pytest.raises(NoBroker):
        first.say([messages.decision()])
    assert second.say([messages.decision()]) == [messages.decision()]
    for each in (first, second):
        each.close()


def test_what_was_said_is_read_back_though_the_broker_shows_it_late(kafka: KafkaSettings) -> None:
    """A transaction of another that is open hides what comes after it from readers."""
    where = {"bootstrap.servers": kafka.bootstrap_servers}
    other = Producer({**where, "transactional.id": f"{kafka.prefix}-other"})
    other.init_transactions(WITHIN_S)
    other.begin_transaction()
    other.produce(topic.name_of(kafka), wire.encode(messages.alert()), partition=topic.PARTITION)
    assert other.flush(WITHIN_S) == 0
    watcher = AlertsTopic(kafka, "watcher")
    uncommitted = {**where, "group.id": "any", "isolation.level": "read_uncommitted"}
    looker, place = Consumer(uncommitted), TopicPartition(topic.name_of(kafka), topic.PARTITION)

    with ThreadPoolExecutor() as threads:
        said = threads.submit(watcher.say, [messages.decision()])
        until(lambda: looker.get_watermark_offsets(place)[1] > 2, WITHIN_S, "it is committed")
        assert topic.read(kafka) == []  # nobody is shown it yet
        other.commit_transaction(WITHIN_S)
        assert said.result(WITHIN_S) == [messages.alert(), messages.decision()]
    for each in (watcher, looker):
        each.close()
