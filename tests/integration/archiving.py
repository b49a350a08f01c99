"""Messages to archive, the archiver as a process, and what a reader sees of topics and archive."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from monitoring import chain
from monitoring.tables import LAYOUTS
from stream_app.contract import wire
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, OUTCOMES, PREDICTIONS, full_name
from tests import builders, flow

ARCHIVED = tuple(layout.topic for layout in LAYOUTS)
ABORTED = "aborted"
ANSWER_S = 120.0

Place = tuple[str, int, int]  # topic, partition, offset


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
    """Run the real archiver; its words go to `log`, and are shown when the test fails."""
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
            print(log.read_text())


def assigned(log: Path) -> list[int]:
    """Tell how many partitions an archiver got, each time it got some."""
    return [int(n) for n in re.findall(r"(\d+) partitions? assigned", log.read_text())]


def erased(folder: Path, kafka: KafkaSettings) -> Iterator[Place]:
    """Tell which places the manifests call erased."""
    for topic in ARCHIVED:
        for m in chain.manifests(folder, full_name(kafka.prefix, topic)):
            yield from ((m.topic, m.partition, offset) for offset in m.erased)
