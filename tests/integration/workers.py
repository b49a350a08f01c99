"""Workers as processes, loads of events, and what a committed reader sees of it all."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from stream_app.contract import wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, PARTITIONER, Topic, full_name, group_id
from stream_app.shell import source
from stream_app.shell.region_store import reader_config
from stream_app.stages import scorer
from tests.builders import DAY_MS, LISTED_MS, listing, sale
from tests.waiting import until

PARTITIONS = 4
SCORER = (sys.executable, "-m", "stream_app", "worker", "--stage", "scorer")
LEARNER = (sys.executable, "-m", "stream_app", "worker", "--stage", "learner")


class Seen(NamedTuple):
    """A committed record of a topic."""

    offset: int
    timestamp_ms: int
    key: str
    value: bytes | None
    headers: Mapping[str, bytes]


def market(listings: int, seed: int = 7) -> list[AnyEvent]:
    """Homes over a year in forty regions, each sold within two months, in order of time."""
    draw = random.Random(seed)
    events: list[AnyEvent] = []
    for number in range(listings):
        listed_ms = LISTED_MS + number * 300 * DAY_MS // listings
        home = {"listing_id": f"kc-{number}", "region": f"kc-{98000 + draw.randrange(40)}"}
        events.append(
            listing(**home, event_time_ms=listed_ms, area_m2=draw.uniform(60, 400), grade=7)
        )
        sold_ms = listed_ms + int(draw.uniform(1, 60) * DAY_MS)
        events.append(sale(**home, event_time_ms=sold_ms, sale_price=draw.uniform(2e5, 1e6)))
    return sorted(events, key=lambda event: event.event_time_ms)


def publish(kafka: KafkaSettings, events: Iterable[AnyEvent], topic: Topic) -> None:
    """Send events as any publisher would, and wait until all are in the log."""
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "partitioner": PARTITIONER, "linger.ms": 5}
    )
    for event in events:
        producer.produce(full_name(kafka.prefix, topic), key=event.region, value=wire.encode(event))
        producer.poll(0)
    assert producer.flush(30) == 0


@contextmanager
def worker(
    environment: Mapping[str, str],
    log: Path,
    command: Sequence[str] = SCORER,
    **settings: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker with HOUSING_STREAM_<settings>; killed at the end if it still runs."""
    given = {f"HOUSING_STREAM_{name.upper()}": value for name, value in settings.items()}
    quick = {"HOUSING_STREAM_SESSION_TIMEOUT_S": "6"}
    with log.open("ab") as stderr:
        process = subprocess.Popen(command, env={**environment, **quick, **given}, stderr=stderr)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stop(process: subprocess.Popen[bytes], within_s: float = 30.0) -> int:
    """SIGTERM, then the exit status."""
    process.send_signal(signal.SIGTERM)
    return process.wait(within_s)


def logged(log: Path, message: str) -> list[dict[str, object]]:
    """The log lines with this message."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"].startswith(message)]


def read(kafka: KafkaSettings, topic: Topic, partition: int) -> list[Seen]:
    """All that a committed reader sees of a partition, up to its last stable offset."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    name = full_name(kafka.prefix, topic)
    start, end = source.bounds(admin, name, partition, IsolationLevel.READ_COMMITTED)
    consumer = Consumer(reader_config(kafka))
    consumer.assign([TopicPartition(name, partition, start)])
    seen: list[Seen] = []
    try:
        while start < end:
            for message in consumer.consume(10_000, timeout=0.2):
                if message.error() is None:
                    seen.append(_seen(message))
                elif message.error().code() != KafkaError._PARTITION_EOF:
                    raise AssertionError(message.error())
                elif message.offset() >= end:
                    return seen
    finally:
        consumer.close()
    return seen


def _seen(message: Message) -> Seen:
    return Seen(
        message.offset(),
        message.timestamp()[1],
        (message.key() or b"").decode(),
        message.value(),
        dict(message.headers() or ()),
    )


def until_seen(kafka: KafkaSettings, topic: Topic, count: int, within_s: float = 120.0) -> None:
    """Wait until a committed reader would see at least `count` offsets of a topic."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    name = full_name(kafka.prefix, topic)

    def offsets() -> int:
        return sum(
            source.bounds(admin, name, p, IsolationLevel.READ_COMMITTED).end
            for p in range(PARTITIONS)
        )

    until(lambda: offsets() >= count, within_s, f"{count} offsets of {name}")


def until_applied(kafka: KafkaSettings, within_s: float = 120.0) -> None:
    """Wait until the scorers have acknowledged all events, which they do after the commit."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    name = full_name(kafka.prefix, EVENTS)
    ends = {p: source.bounds(admin, name, p).end for p in range(PARTITIONS)}
    group = group_id(kafka.prefix, scorer.NAME)

    def acknowledged() -> bool:
        asked = [ConsumerGroupTopicPartitions(group)]
        found = admin.list_consumer_group_offsets(asked)[group].result().topic_partitions
        return {tp.partition: tp.offset for tp in found} == ends

    until(acknowledged, within_s, f"all events applied up to {ends}")
