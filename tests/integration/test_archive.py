"""The archive holds what a read_committed reader sees: each row once, whoever died meanwhile."""

import os
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer, TopicPartition

from monitoring import chain, frames
from stream_app.contract import wire
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import (
    EVENTS,
    MODELS,
    OUTCOMES,
    PARTITIONER,
    Topic,
    full_name,
)
from stream_app.shell import topics_admin
from tests import builders, flow, messages
from tests.integration.archiving import (
    ANSWER_S,
    archive_once,
    archived,
    archiving,
    assert_whole,
    assigned,
    erased,
    faulty,
    publish,
    publish_some,
    run_archive,
    visible,
)
from tests.waiting import until

pytestmark = pytest.mark.broker

STEPS = ("intent", "file", "data", "publish")


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
        (whole,) = until(lambda: assigned(one_log), ANSWER_S, "the first has all partitions")
        with archiving(folder, two_log, environment) as two:
            until(
                lambda: (
                    sorted(assigned(one_log)[-1:] + assigned(two_log)[-1:])
                    == [whole // 2, whole - whole // 2]
                ),
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


def test_an_erasure_reaches_what_was_archived_and_what_comes_later(
    kafka: KafkaSettings, environment: Mapping[str, str], producer: Producer, tmp_path: Path
) -> None:
    (gone,) = flow.pairs(1, first=3)
    publish(producer, kafka.prefix, flow.pairs(10))
    archive_once(tmp_path, environment)
    producer.begin_transaction()
    erasure = builders.erasure(listing_id=gone.prediction.listing_id)
    producer.produce(full_name(kafka.prefix, EVENTS), wire.encode(erasure), erasure.region)
    producer.commit_transaction(30)
    publish(producer, kafka.prefix, [gone])

    archive_once(tmp_path, environment)

    left = archived(tmp_path, kafka)
    assert Counter(visible(kafka)) - left == Counter(erased(tmp_path, kafka))
    assert sum(left.values()) == 3 * 9 + 1
    rows = [str(row) for p in tmp_path.rglob("*.parquet") for row in pq.read_table(p).to_pylist()]
    (only,) = [row for row in rows if gone.prediction.listing_id in row]
    assert '"kind":"erasure"' in only


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


def test_missing_topics_are_told_in_one_line_and_are_no_fault_of_ours(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    other = {**environment, "HOUSING_KAFKA_PREFIX": "nobody-has-this"}

    done = run_archive(tmp_path, other)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "does not exist: create it with python -m stream_app topics create" in done.stderr
