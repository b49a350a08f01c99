"""The archive holds what a read_committed reader sees: each row once, whoever died meanwhile."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from monitoring import chain, frames
from monitoring.tables import LAYOUTS
from stream_app.contract import wire
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import (
    EVENTS,
    MODELS,
    OUTCOMES,
    PARTITIONER,
    PREDICTIONS,
    Topic,
    full_name,
)
from stream_app.shell import topics_admin
from tests import builders, flow, messages
from tests.waiting import until

pytestmark = pytest.mark.broker

STEPS = ("intent", "file", "data", "publish")
ARCHIVED = tuple(layout.topic for layout in LAYOUTS)
ABORTED = "aborted"
ANSWER_S = 60.0

Place = tuple[str, int, int]  # topic, partition, offset


@pytest.fixture
def producer(kafka: KafkaSettings) -> Producer:
    made = Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "transactional.id": f"{kafka.prefix}-test",
            "partitioner": PARTITIONER,
            "log_level": 0,
        }
    )
    made.init_transactions(30)
    return made


def publish(
    producer: Producer, prefix: str, pairs: Iterable[flow.Pair], commit: bool = True
) -> None:
    """Send events, predictions and outcomes in one transaction."""
    producer.begin_transaction()
    for pair in pairs:
        event = builders.listing(listing_id=pair.prediction.listing_id)
        for topic, key, message in (
            (EVENTS, event.region, event),
            (PREDICTIONS, pair.prediction.listing_id, pair.prediction),
            (OUTCOMES, pair.outcome.market, pair.outcome),
        ):
            key = key if commit else f"{ABORTED}-{key}"
            producer.produce(full_name(prefix, topic), wire.encode(message), key)
    producer.flush()  # also what will be aborted gets to the broker
    if commit:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)


def publish_some(producer: Producer, prefix: str, first: int) -> None:
    """Send 200 homes in eight transactions; after every other one, one that is aborted."""
    for start in range(first, first + 200, 25):
        publish(producer, prefix, flow.pairs(25, seed=start, first=start))
        if start % 50 == 0:
            publish(producer, prefix, flow.pairs(10, seed=start, first=start), commit=False)


def visible(kafka: KafkaSettings) -> set[Place]:
    """Read what a read_committed consumer sees of the archived topics."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": "unused",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    topics = consumer.list_topics(timeout=20).topics
    names = [full_name(kafka.prefix, topic) for topic in ARCHIVED]
    places = [TopicPartition(name, p, 0) for name in names for p in topics[name].partitions]
    consumer.assign(places)
    found: set[Place] = set()
    ends = 0
    while ends < len(places):
        for message in consumer.consume(1_000, 1.0):
            if message.error() is None:
                found.add((message.topic(), message.partition(), message.offset()))
            else:
                assert message.error().code() == KafkaError._PARTITION_EOF
                ends += 1
    consumer.close()
    return found


def archived(folder: Path, kafka: KafkaSettings) -> Counter[Place]:
    """Count the rows of the archive by where they are from."""
    found: Counter[Place] = Counter()
    for topic in ARCHIVED:
        name = full_name(kafka.prefix, topic)
        for manifest in chain.manifests(folder, name):
            for file in manifest.files:
                table = pq.read_table(folder / file.path, columns=["partition", "offset"])
                places = zip(*(table[c].to_pylist() for c in table.column_names), strict=True)
                found.update((name, partition, offset) for partition, offset in places)
    return found


def assert_whole(folder: Path, kafka: KafkaSettings) -> None:
    """The archive holds each visible record once, in chains without holes, and nothing else."""
    assert archived(folder, kafka) == Counter(visible(kafka))
    ends: dict[tuple[str, int], int] = {}
    named: set[Path] = set()
    for topic in ARCHIVED:
        for manifest in chain.manifests(folder, full_name(kafka.prefix, topic)):
            place = manifest.topic, manifest.partition
            assert manifest.first_offset == ends.get(place, 0)
            ends[place] = manifest.next_offset
            named |= {folder / file.path for file in manifest.files}
    assert set(folder.rglob("*.parquet")) == named
    assert [path for path in (folder / chain.STAGING).rglob("*") if path.is_file()] == []


def run_archive(folder: Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "monitoring", "archive", "--dir", str(folder), "--once"],
        env=environment,
        timeout=ANSWER_S,
        capture_output=True,
        text=True,
        check=False,
    )


def archive_once(folder: Path, environment: Mapping[str, str]) -> None:
    done = run_archive(folder, environment)
    assert done.returncode == 0, done.stderr


def faulty(folder: Path, environment: Mapping[str, str], *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.archiver_process", str(folder), *options],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def archiving(
    folder: Path, log: Path, environment: Mapping[str, str], flush_age_s: float = 0.5
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the real archiver; its words go to `log`."""
    quick = {"HOUSING_MONITORING_FLUSH_AGE_S": str(flush_age_s)}
    command = [sys.executable, "-m", "monitoring", "archive", "--dir", str(folder)]
    with log.open("wb") as words:
        process = subprocess.Popen(command, env={**environment, **quick}, stderr=words)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def assigned(log: Path) -> list[int]:
    """Tell how many partitions an archiver got, each time it got some."""
    return [int(n) for n in re.findall(r"(\d+) partitions assigned", log.read_text())]


def test_nothing_is_lost_or_doubled_when_the_archiver_is_killed_at_each_step(
    kafka: KafkaSettings, environment: Mapping[str, str], producer: Producer, tmp_path: Path
) -> None:
    for number, step in enumerate(STEPS):
        publish_some(producer, kafka.prefix, first=200 * number)
        process = faulty(tmp_path, environment, "--at", f"{step}:3", "--signal", "KILL")
        process.communicate(timeout=ANSWER_S)
        assert process.returncode == -signal.SIGKILL, f"was not killed at {step}"

    archive_once(tmp_path, environment)
    # The leftovers of the last death go when the chain has passed them.
    publish_some(producer, kafka.prefix, first=1_000)
    archive_once(tmp_path, environment)

    assert_whole(tmp_path, kafka)


def test_killing_catches_an_archiver_that_goes_by_group_offsets(
    kafka: KafkaSettings, environment: Mapping[str, str], producer: Producer, tmp_path: Path
) -> None:
    publish_some(producer, kafka.prefix, first=0)
    process = faulty(tmp_path, environment, "--at", "data:1", "--signal", "KILL", "--forgetful")
    process.communicate(timeout=ANSWER_S)
    assert process.returncode == -signal.SIGKILL

    after = faulty(tmp_path, environment, "--at", "none:1", "--signal", "KILL", "--forgetful")
    after.communicate(timeout=ANSWER_S)

    assert set(visible(kafka)) - set(archived(tmp_path, kafka)) != set()


def test_records_of_an_aborted_transaction_are_not_archived(
    kafka: KafkaSettings, environment: Mapping[str, str], producer: Producer, tmp_path: Path
) -> None:
    publish(producer, kafka.prefix, flow.pairs(20), commit=False)
    publish(producer, kafka.prefix, flow.pairs(5))

    archive_once(tmp_path, environment)

    assert sum(archived(tmp_path, kafka).values()) == 15
    assert_whole(tmp_path, kafka)


def test_a_sleeper_that_wakes_after_its_successor_published_changes_nothing(
    kafka: KafkaSettings, environment: Mapping[str, str], producer: Producer, tmp_path: Path
) -> None:
    publish_some(producer, kafka.prefix, first=0)
    sleeper = faulty(tmp_path, environment, "--at", "data:1", "--signal", "STOP")
    try:
        until(lambda: is_stopped(sleeper.pid), ANSWER_S, "the archiver falls asleep")
        archive_once(tmp_path, environment)
        sleeper.send_signal(signal.SIGCONT)
        words, _ = sleeper.communicate(timeout=ANSWER_S)
    finally:
        sleeper.kill()

    assert "another archiver was first" in words
    assert_whole(tmp_path, kafka)


def is_stopped(process_id: int) -> bool:
    asleep = os.waitid(os.P_PID, process_id, os.WSTOPPED | os.WNOWAIT | os.WNOHANG)
    return asleep is not None


def test_two_archivers_share_the_partitions_and_one_goes_on_when_the_other_leaves(
    kafka: KafkaSettings, environment: Mapping[str, str], producer: Producer, tmp_path: Path
) -> None:
    folder, one_log, two_log = tmp_path / "archive", tmp_path / "one", tmp_path / "two"
    with archiving(folder, one_log, environment) as one:
        until(lambda: assigned(one_log) == [22], ANSWER_S, "the first has all partitions")
        with archiving(folder, two_log, environment) as two:
            until(
                lambda: assigned(one_log)[-1:] + assigned(two_log) == [11, 11],
                ANSWER_S,
                "the two share the partitions",
            )
            publish_some(producer, kafka.prefix, first=0)
            wait_until_archived(folder, kafka)
            one.send_signal(signal.SIGTERM)
            assert one.wait(ANSWER_S) == 0
            publish_some(producer, kafka.prefix, first=200)
            wait_until_archived(folder, kafka)
            two.send_signal(signal.SIGINT)
            assert two.wait(ANSWER_S) == 0

    assert_whole(folder, kafka)


def wait_until_archived(folder: Path, kafka: KafkaSettings) -> None:
    wanted = visible(kafka)
    until(lambda: set(archived(folder, kafka)) == wanted, ANSWER_S, "all rows are archived")


def test_what_is_held_is_published_on_sigterm(
    kafka: KafkaSettings, environment: Mapping[str, str], producer: Producer, tmp_path: Path
) -> None:
    folder, log = tmp_path / "archive", tmp_path / "log"
    publish(producer, kafka.prefix, flow.pairs(50))
    with archiving(folder, log, environment, flush_age_s=3_600) as process:
        until(lambda: "150 waiting" in log.read_text(), ANSWER_S, "the archiver holds all rows")
        process.send_signal(signal.SIGTERM)
        assert process.wait(ANSWER_S) == 0

    assert_whole(folder, kafka)


def test_a_model_announcement_is_found_in_the_archive(
    kafka: KafkaSettings, environment: Mapping[str, str], producer: Producer, tmp_path: Path
) -> None:
    producer.begin_transaction()
    for key, message in (
        ("king-county/champion/v1", messages.champion(manifest=flow.manifest())),
        ("king-county/alias/champion", messages.alias()),
    ):
        producer.produce(full_name(kafka.prefix, MODELS), wire.encode(message), key)
    producer.commit_transaction(30)

    archive_once(tmp_path, environment)

    assert frames.champion(tmp_path, kafka.prefix, flow.MARKET) == flow.manifest()


def test_records_deleted_before_they_were_archived_are_told_in_the_manifest(
    kafka: KafkaSettings, environment: Mapping[str, str], producer: Producer, tmp_path: Path
) -> None:
    publish(producer, kafka.prefix, flow.pairs(50))
    outcomes = full_name(kafka.prefix, OUTCOMES)
    partition = next(place[1] for place in visible(kafka) if place[0] == outcomes)
    gone = TopicPartition(outcomes, partition, 20)
    admin = topics_admin.connect(kafka)
    admin.delete_records([gone])[gone].result(30)

    archive_once(tmp_path, environment)

    (manifest,) = chain.manifests(tmp_path, outcomes)
    assert (manifest.first_offset, manifest.lost_to_offset, manifest.rows) == (0, 20, 30)
    assert_whole(tmp_path, kafka)


def test_a_topic_that_is_recreated_goes_on_a_chain_of_its_own(
    kafka: KafkaSettings, environment: Mapping[str, str], producer: Producer, tmp_path: Path
) -> None:
    publish(producer, kafka.prefix, flow.pairs(50))
    archive_once(tmp_path, environment)
    recreate(kafka, OUTCOMES)
    publish(producer, kafka.prefix, flow.pairs(10, seed=2, first=50))

    archive_once(tmp_path, environment)

    manifests = list(chain.manifests(tmp_path, full_name(kafka.prefix, OUTCOMES)))
    assert sorted((m.first_offset, m.rows) for m in manifests) == [(0, 10), (0, 50)]
    assert len({m.topic_id for m in manifests}) == 2


def test_an_archiver_stops_when_its_topic_is_recreated_under_it(
    kafka: KafkaSettings, environment: Mapping[str, str], producer: Producer, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    publish(producer, kafka.prefix, flow.pairs(50))
    with archiving(tmp_path / "archive", log, environment, flush_age_s=3_600) as process:
        until(lambda: "150 waiting" in log.read_text(), ANSWER_S, "the archiver holds all rows")
        recreate(kafka, OUTCOMES)
        process.send_signal(signal.SIGTERM)
        assert process.wait(ANSWER_S) == 70

    assert "was recreated: its id was" in log.read_text()
    assert not archived(tmp_path / "archive", kafka)


def recreate(kafka: KafkaSettings, topic: Topic) -> None:
    """Delete a topic and make it anew."""
    admin = topics_admin.connect(kafka)
    name = full_name(kafka.prefix, topic)
    admin.delete_topics([name])[name].result(30)
    until(lambda: name not in admin.list_topics(timeout=10).topics, ANSWER_S, f"{name} is gone")
    topics_admin.create(admin, kafka.prefix)
    until(lambda: name in admin.list_topics(timeout=10).topics, ANSWER_S, f"{name} is there")


def test_missing_topics_are_told_in_one_line(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    other = {**environment, "HOUSING_KAFKA_PREFIX": "nobody-has-this"}

    done = run_archive(tmp_path, other)

    assert done.returncode == 70
    assert done.stderr.count("\n") == 1
    assert "does not exist: create it with python -m stream_app topics create" in done.stderr
