"""A replay on a real broker: everything arrives in its partition, also after kill -9."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition

from producers.sender import Refused, Sender, Undelivered
from producers.sources import default_paths, read
from stream_app.contract import wire
from stream_app.contract.ids import partition_of
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import DEFAULT_PARTITIONS, EVENTS, full_name
from stream_app.contract.wire import Decoded
from tests import builders
from tests.waiting import until

pytestmark = pytest.mark.broker


ROWS = 1_000
EVENTS_IN_FILE = 2 * ROWS


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first rows of the King County file: quicker to read than all of it."""
    path = tmp_path_factory.mktemp("sales") / "sales.csv"
    with gzip.open(default_paths("king-county")[0], "rt") as whole:
        path.write_text("".join(islice(whole, ROWS + 1)))
    return path


def command(sales: Path, *options: str) -> list[str]:
    source = ["--source", "king-county", "--file", str(sales)]
    return [sys.executable, "-m", "producers", "replay", *source, *options]


def replay(
    environment: Mapping[str, str], sales: Path, *options: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(sales, *options),
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def events_on(kafka: KafkaSettings) -> list[tuple[int, bytes, bytes]]:
    """Partition, key and value of all there is, each partition in its order."""
    topic = full_name(kafka.prefix, EVENTS)
    consumer = KafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    try:
        partitions = [TopicPartition(topic, number) for number in range(DEFAULT_PARTITIONS)]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        found = []
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for records in consumer.poll(timeout_ms=1_000).values():
                found += [(record.partition, record.key, record.value) for record in records]
        return found
    finally:
        consumer.close()


def ids_of(sales: Path) -> list[str]:
    return [event.event_id for event in read("king-county", [sales], 0)]


def ids(found: Sequence[tuple[int, bytes, bytes]]) -> list[str]:
    decoded = [wire.decode_event(value) for _, _, value in found]
    return [each.event.event_id for each in decoded if isinstance(each, Decoded)]


def test_every_event_arrives_once_under_its_region_in_the_partition_of_murmur2(
    kafka: KafkaSettings, environment: Mapping[str, str], sales: Path
) -> None:
    done = replay(environment, sales, "--json")

    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (sum(summary["sent"].values()), summary["complete"]) == (EVENTS_IN_FILE, True)
    found = events_on(kafka)
    assert sorted(ids(found)) == sorted(ids_of(sales))
    for partition, key, value in found:
        decoded = wire.decode_event(value)
        assert isinstance(decoded, Decoded)
        assert key == decoded.event.region.encode()
        assert partition == partition_of(key, DEFAULT_PARTITIONS)


def test_events_of_a_partition_keep_the_order_in_which_they_happened(
    kafka: KafkaSettings, environment: Mapping[str, str], sales: Path
) -> None:
    replay(environment, sales)

    place = {event_id: number for number, event_id in enumerate(ids_of(sales))}
    for partition in range(DEFAULT_PARTITIONS):
        here = [found for found in events_on(kafka) if found[0] == partition]
        places = [place[event_id] for event_id in ids(here)]
        assert places == sorted(places)


def position_in(path: Path) -> int:
    try:
        return json_position(path)
    except FileNotFoundError:
        return 0


def json_position(path: Path) -> int:
    position = json.loads(path.read_bytes())["position"]
    assert isinstance(position, int)
    return position


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_replay_stopped_midway_goes_on_without_skipping(
    kafka: KafkaSettings,
    environment: Mapping[str, str],
    sales: Path,
    tmp_path: Path,
    how: signal.Signals,
) -> None:
    path = tmp_path / "checkpoint"
    options = ("--checkpoint", str(path), "--json")
    stopped = subprocess.Popen(
        command(sales, *options, "--speed", "200/s"),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: position_in(path) > 0, 120, "a first position is kept")
    os.kill(stopped.pid, how)
    status = stopped.wait(60)
    kept = json_position(path)
    before = len(events_on(kafka))

    done = replay(environment, sales, *options)

    assert status == (-how if how is signal.SIGKILL else 128 + how)
    assert 0 < kept <= before < EVENTS_IN_FILE
    assert json.loads(done.stdout.splitlines()[-1])["resumed_at"] == kept
    found = ids(events_on(kafka))
    assert set(found) == set(ids_of(sales))
    # What was sent after the last position kept came again, with the same ids.
    assert len(found) == EVENTS_IN_FILE + (before - kept)
    if how is not signal.SIGKILL:
        assert before == kept


def test_a_checkpoint_of_another_seed_is_refused(
    kafka: KafkaSettings, environment: Mapping[str, str], sales: Path, tmp_path: Path
) -> None:
    options = ("--limit", "10", "--checkpoint", str(tmp_path / "checkpoint"))
    replay(environment, sales, *options)

    done = replay(environment, sales, *options, "--seed", "5")

    assert done.returncode == 2
    assert "is of another replay: its seed is 0, here it is 5" in done.stderr
    assert len(events_on(kafka)) == 10


def test_a_missing_topic_is_told_with_its_remedy(fresh_prefix: KafkaSettings) -> None:
    with pytest.raises(Undelivered, match="create it with `python -m stream_app topics create`"):
        Sender(fresh_prefix)


def test_a_service_publishes_an_event_and_is_refused_a_bad_one(kafka: KafkaSettings) -> None:
    with Sender(kafka) as sender:
        sender.send(builders.listing())
        with pytest.raises(Refused, match="area"):
            sender.send(builders.listing(area_m2=1.0))

    assert [value for _, _, value in events_on(kafka)] == [builders.raw(builders.listing())]


def test_nobody_at_the_address_is_one_clear_line(
    environment: Mapping[str, str], sales: Path
) -> None:
    nobody = {
        **environment,
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "HOUSING_PRODUCERS_CONNECT_TIMEOUT_S": "0.3",
    }

    done = replay(nobody, sales)

    assert done.returncode == 1
    assert done.stderr.startswith("producers replay: no Kafka answers at 127.0.0.1:1")
    assert done.stderr.count("\n") == 1
