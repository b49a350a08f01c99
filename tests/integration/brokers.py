"""Three ways to a real Kafka, tried in this order by the fixture in conftest.py.

1. the brokers of KAFKA_BOOTSTRAP_SERVERS
2. a container, when a Docker engine answers and the image is to be had (and that of
   testcontainers' own helper, or TESTCONTAINERS_RYUK_DISABLED=true)
3. the local broker of `python -m stream_app broker`
"""

import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import docker
from docker.errors import DockerException

from stream_app.contract.topics import RECORD_BYTES_MAX
from stream_app.shell import broker, children
from tests.waiting import until

IMAGE = "apache/kafka:4.1.0"
ENGINE_WITHIN_S = 2  # an engine on this machine answers in milliseconds
# The first run of all fetches 45 MB.
READY_WITHIN_S = 300.0


class NoContainer(Exception):
    """There is no engine, or it cannot give the image; the text says which."""


@contextmanager
def any_broker(folder: Path, tell: Callable[[str], None]) -> Iterator[str]:
    """Give the bootstrap address of a broker that answers; stop it if it was started."""
    named = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if named:
        tell(f"KAFKA_BOOTSTRAP_SERVERS names {named}")
        yield named
        return
    with ExitStack() as stack:
        started_s = time.monotonic()
        try:
            address = stack.enter_context(contained_broker())
            which = f"{IMAGE} in a container"
        except NoContainer as reason:
            tell(f"no Kafka in a container: {reason}")
            address = stack.enter_context(local_broker(folder))
            which = "the local one"
        tell(f"{which}, ready in {time.monotonic() - started_s:.1f} s")
        yield address


@contextmanager
def contained_broker() -> Iterator[str]:
    """Run the official image with testcontainers.

    Raises
    ------
    NoContainer : no engine answers, or the image is not to be had
    """
    _ask_engine()
    # testcontainers warns of its own old names while it is imported.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from testcontainers.core.container import DockerContainer

    port = free_port()
    container = DockerContainer(IMAGE).with_bind_ports(9092, port).with_envs(**_settings(port))
    try:
        container.start()
    except (DockerException, OSError) as error:
        container.stop()
        raise NoContainer(f"{IMAGE} does not start: {error}") from None
    try:
        address = f"127.0.0.1:{port}"
        until(lambda: broker.answers(address, within_s=2.0), 120, f"{IMAGE} answers")
        yield address
    finally:
        container.stop()


def _ask_engine() -> None:
    """Ask first, quickly: testcontainers waits a minute for an engine that is not there."""
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    try:
        if address.startswith("unix://"):
            _knock(address.removeprefix("unix://"))
        client = docker.from_env(timeout=ENGINE_WITHIN_S)
        client.ping()
    except (DockerException, OSError) as error:
        raise NoContainer(f"no Docker engine answers at {address}: {error}") from None
    client.close()


def _knock(path: str) -> None:
    """Docker's own client leaves its socket open when nobody listens."""
    with socket.socket(socket.AF_UNIX) as knocking:
        knocking.settimeout(ENGINE_WITHIN_S)
        knocking.connect(path)


def _settings(port: int) -> dict[str, str]:
    """What the image is told. With any setting given it takes none of its own defaults.

    The broker reaches itself under a listener of its own: before it takes a record of a
    transaction it asks the transaction's coordinator, and under the address that clients
    are given, it would knock at a port that exists only outside of the container.
    """
    plain = ("CONTROLLER", "INSIDE", "OUTSIDE")
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": "OUTSIDE://:9092,CONTROLLER://:9093,INSIDE://:9094",
        "KAFKA_ADVERTISED_LISTENERS": f"OUTSIDE://127.0.0.1:{port},INSIDE://localhost:9094",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "INSIDE",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": ",".join(f"{name}:PLAINTEXT" for name in plain),
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_MESSAGE_MAX_BYTES": str(RECORD_BYTES_MAX),
        "KAFKA_HEAP_OPTS": "-Xmx512m",
    }


@contextmanager
def local_broker(folder: Path, port: int = 0) -> Iterator[str]:
    """Run `python -m stream_app broker` with its data in `folder`."""
    ready = folder.with_name(f"{folder.name}.ready")
    process = start_local(folder, ready, port)
    try:
        until(
            lambda: ready.exists() or process.poll() is not None,
            READY_WITHIN_S,
            "the local broker is ready",
        )
        assert process.poll() is None, ready.with_suffix(".out").read_text()
        yield ready.read_text()
    finally:
        process.terminate()
        process.wait(60)


def start_local(folder: Path, ready: Path, port: int = 0) -> subprocess.Popen[bytes]:
    """Start it without waiting; what it says goes to the file beside `ready`."""
    command = [sys.executable, "-m", "stream_app", "broker", "--data-dir", str(folder)]
    command += ["--port", str(port), "--ready-file", str(ready)]
    with ready.with_suffix(".out").open("wb") as output:
        return children.start(command, output, environment=plain_environment())


def plain_environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any setting of ours, and `given`."""
    ours = ("HOUSING_", "KAFKA_BOOTSTRAP_SERVERS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, **(given or {})}


def free_port() -> int:
    """Find a port that nobody listens to now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
