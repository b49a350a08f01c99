"""The local broker as a process: what it says, what it ends with, what it leaves behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from stream_app.shell.broker import answers
from stream_app.shell.kafka_parts import Exit
from tests.integration import brokers
from tests.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.slow]

NOWHERE = "http://127.0.0.1:9"  # a proxy that nobody is: as good as offline


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A data folder in use, and the address of the broker that uses it."""
    folder = tmp_path_factory.mktemp("running") / "data"
    with brokers.local_broker(folder) as address:
        yield folder, address


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        done = _broker("--data-dir", str(tmp_path), "--port", str(port))

    assert done.returncode == Exit.PORT_TAKEN
    assert f"port {port} of 127.0.0.1 is taken" in done.stderr


def test_a_data_folder_in_use_names_its_broker(running: tuple[Path, str]) -> None:
    folder, address = running
    ready = folder.with_name(f"{folder.name}.ready")  # of the one that runs

    done = _broker("--data-dir", str(folder), "--port", "0", "--ready-file", str(ready))

    assert done.returncode == Exit.DATA_DIR_IN_USE
    assert ready.read_text() == address
    assert f"{folder} is in use by another broker (process " in done.stderr
    assert address in done.stderr


def test_brokers_that_are_named_already_are_used_instead(
    running: tuple[Path, str], tmp_path: Path
) -> None:
    _, address = running
    ready = tmp_path / "ready"

    done = _broker("--ready-file", str(ready), KAFKA_BOOTSTRAP_SERVERS=address)

    assert done.returncode == 0
    assert f"KAFKA_BOOTSTRAP_SERVERS names {address}, which answers" in done.stdout
    assert ready.read_text() == address


def test_brokers_that_are_named_and_do_not_answer_are_an_error() -> None:
    address = f"127.0.0.1:{brokers.free_port()}"

    done = _broker(KAFKA_BOOTSTRAP_SERVERS=address)

    assert done.returncode == Exit.NO_ANSWER
    assert f"names {address}, which does not answer" in done.stderr


def test_without_a_net_it_says_that_kafka_cannot_be_fetched(tmp_path: Path) -> None:
    done = _broker(
        *_free_in(tmp_path),
        HOUSING_BROKER_CACHE_DIR=str(tmp_path / "cache"),
        HTTPS_PROXY=NOWHERE,
        https_proxy=NOWHERE,
        NO_PROXY="",
        no_proxy="",
    )

    assert done.returncode == Exit.NOT_FETCHED
    assert "Kafka cannot be fetched to" in done.stderr
    assert "Go online once" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_jar_is_not_used(running: tuple[Path, str], tmp_path: Path) -> None:
    assert running  # so the cache is full
    cache = tmp_path / "cache"
    kafka = Path("~/.cache/housing-stream/kafka").expanduser()
    (cache / "kafka").mkdir(parents=True)
    for jar in kafka.glob("*.jar"):
        (cache / "kafka" / jar.name).symlink_to(jar)
    damaged = cache / "kafka" / "kafka_2.13-4.1.0.jar"
    damaged.unlink()
    damaged.write_bytes((kafka / damaged.name).read_bytes()[:-1])

    done = _broker(
        *_free_in(tmp_path), HOUSING_BROKER_CACHE_DIR=str(cache), HTTPS_PROXY=NOWHERE, NO_PROXY=""
    )

    assert done.returncode == Exit.NOT_FETCHED
    assert "fetching Kafka once: 1 files" in done.stdout


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path) -> None:
    done = _broker(*_free_in(tmp_path), HOUSING_BROKER_FREE_MB_MIN=str(10**9))

    assert done.returncode == Exit.DISK_FULL
    assert "MB are free" in done.stderr


def test_a_missing_java_is_told(tmp_path: Path) -> None:
    done = _broker(*_free_in(tmp_path), HOUSING_BROKER_JAVA="/no/such/java")

    assert done.returncode == Exit.NO_JAVA
    assert "no Java: /no/such/java" in done.stderr


def test_a_java_that_is_too_old_is_told(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)

    done = _broker(*_free_in(tmp_path), HOUSING_BROKER_JAVA=str(java))

    assert done.returncode == Exit.NO_JAVA
    assert "is Java 11; Kafka needs 17 or newer" in done.stderr


def test_wrong_settings_are_all_told_at_once(tmp_path: Path) -> None:
    done = _broker("--port", "70000", HOUSING_BROKER_HEAP_MB="much", HOUSING_BROKER_COLOUR="red")

    assert done.returncode == 2
    assert [line.partition(":")[0] for line in sorted(done.stderr.splitlines())] == [
        "HOUSING_BROKER_COLOUR",
        "HOUSING_BROKER_HEAP_MB",
        "HOUSING_BROKER_PORT",
    ]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)], ids=["ctrl-c", "sigterm"]
)
def test_it_stops_in_order_and_leaves_no_java_behind(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    process, ready = _started(tmp_path)
    java = _java_of(process)

    process.send_signal(number)

    assert process.wait(60) == status
    assert not Path(f"/proc/{java}").exists()
    assert not ready.exists()
    assert "Traceback" not in ready.with_suffix(".out").read_text()


def test_a_killed_parent_takes_java_with_it_and_the_log_goes_on(tmp_path: Path) -> None:
    process, ready = _started(tmp_path)
    address = ready.read_text()
    _make_topic(address)
    _write(address, b"before the kill")
    java = _java_of(process)

    process.kill()
    process.wait()
    until(lambda: not Path(f"/proc/{java}").exists(), 60, "Java has ended, too")
    ready.unlink()

    with brokers.local_broker(tmp_path / "data") as again:
        _write(again, b"after it")
        assert _read(again, 2) == [b"before the kill", b"after it"]


def test_a_java_that_dies_ends_the_command_in_words(tmp_path: Path) -> None:
    process, ready = _started(tmp_path)

    os.kill(_java_of(process), signal.SIGKILL)

    assert process.wait(60) == Exit.BROKER_DIED
    assert "Kafka ended" in ready.with_suffix(".out").read_text()


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    with brokers.local_broker(tmp_path / "größe, a=b & <c>") as address:
        assert answers(address, within_s=5.0)


def _broker(*arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stream_app", "broker", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=brokers.plain_environment(given),
        timeout=120,
    )


def _free_in(folder: Path) -> tuple[str, ...]:
    return "--data-dir", str(folder / "data"), "--port", "0"


def _started(folder: Path) -> tuple[subprocess.Popen[bytes], Path]:
    ready = folder / "ready"
    process = brokers.start_local(folder / "data", ready)
    until(lambda: ready.exists() or process.poll() is not None, 300, "the broker is ready")
    assert process.poll() is None, ready.with_suffix(".out").read_text()
    return process, ready


def _java_of(process: subprocess.Popen[bytes]) -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 1
    return int(children[0])


def _make_topic(address: str) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic("log", num_partitions=1)])["log"].result(30)


def _write(address: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": address, "acks": "all"})
    producer.produce("log", value)
    assert producer.flush(30) == 0


def _read(address: str, count: int) -> list[bytes | None]:
    consumer = Consumer(
        {"bootstrap.servers": address, "group.id": "reader", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["log"])
    try:
        return [message.value() for message in consumer.consume(count, timeout=30)]
    finally:
        consumer.close()
