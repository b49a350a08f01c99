"""A real Kafka of one node, in the foreground, for one machine. Not for production.

The Java process is a child that cannot outlive this one: it is told to stop on
Ctrl-C and SIGTERM, killed when it does not, and the kernel ends it when this
process itself is killed (Linux). It holds the data folder's lock, too, so that
no second broker opens the folder while it is still alive.
"""

import base64
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from stream_app.shell import children, kafka_parts
from stream_app.shell.broker_settings import BrokerSettings
from stream_app.shell.kafka_config import HOST, LOG4J2_XML, Ports, server_properties
from stream_app.shell.kafka_parts import CannotRun, Exit

READY_WITHIN_S = 120.0  # 2.2 s here; a slow disk with a long log after a crash takes longer
STOP_WITHIN_S = 30.0
POLL_S = 0.1
MIB = 1024 * 1024

# What Kafka's log says when it ends by itself, and what it means.
CAUSES = (
    ("No space left on device", Exit.DISK_FULL, "the disk is full"),
    ("Address already in use", Exit.PORT_TAKEN, "its port was taken meanwhile"),
    ("Failed to acquire lock on file", Exit.DATA_DIR_IN_USE, "the data folder is in use"),
    ("OutOfMemoryError", Exit.BROKER_DIED, "it ran out of memory: raise HOUSING_BROKER_HEAP_MB"),
)


class _Terminated(Exception):
    """SIGTERM or SIGHUP came."""


def run(given: BrokerSettings, ready_file: Path | None, say: Callable[[str], None]) -> int:
    """Run until Ctrl-C (130) or SIGTERM (0).

    Raises
    ------
    CannotRun : it did not start, or ended by itself
    """
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup wants it ignored
        signal.signal(signal.SIGHUP, _terminate)  # the terminal was closed
    data_dir = Path(given.data_dir).absolute()
    try:
        with _locked(data_dir) as lock:
            _run_locked(given, data_dir, lock, ready_file, say)
    except KeyboardInterrupt:
        return 130
    except _Terminated:
        return 0


def use_other(address: str, ready_file: Path | None, say: Callable[[str], None]) -> int:
    """Start nothing: brokers are named already. Say whether they answer.

    Raises
    ------
    CannotRun : they do not
    """
    if not answers(address, within_s=10.0):
        raise CannotRun(
            Exit.NO_ANSWER,
            f"KAFKA_BOOTSTRAP_SERVERS names {address}, which does not answer. "
            "Unset it to run a broker here.",
        )
    say(f"KAFKA_BOOTSTRAP_SERVERS names {address}, which answers: none is started here")
    if ready_file is not None:
        write_whole(ready_file, address)
    return 0


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated


def _run_locked(
    given: BrokerSettings,
    data_dir: Path,
    lock: IO[str],
    ready_file: Path | None,
    say: Callable[[str], None],
) -> NoReturn:
    _check_space(given, data_dir)
    ports = _ports(given.port)
    java = [kafka_parts.java(given.java), *_java_options(given)]
    java += ["-cp", kafka_parts.class_path(given.cache, say)]
    _configure(data_dir, ports)
    started_s = time.monotonic()
    _format(java, data_dir)
    with _child(java, data_dir, lock) as child:
        address = f"{HOST}:{ports.clients}"
        _await_ready(child, address, data_dir)
        _note(lock, address)
        say(f"ready at {address} in {time.monotonic() - started_s:.1f} s; data in {data_dir}")
        say("Ctrl-C or SIGTERM stops it; a later run with the same folder goes on from there")
        with _told(ready_file, address):
            _watch(given, child, data_dir)


@contextmanager
def _locked(data_dir: Path) -> Iterator[IO[str]]:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / "logs").mkdir(exist_ok=True)
        lock = (data_dir / "broker.lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise CannotRun(Exit.DATA_DIR_IN_USE, f"cannot write the data folder: {error}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise CannotRun(
                Exit.DATA_DIR_IN_USE,
                f"{data_dir} is in use by another broker ({lock.read().strip() or 'starting'}); "
                "use that one, stop it, or take another --data-dir",
            ) from None
        lock.truncate(0)
        yield lock


def _note(lock: IO[str], address: str) -> None:
    """Say in the lock file who holds it, for the one who is refused."""
    lock.write(f"process {os.getpid()} at {address}")
    lock.flush()


@contextmanager
def _told(ready_file: Path | None, address: str) -> Iterator[None]:
    """The file is there as long as the broker is ready, and ours: not another broker's."""
    if ready_file is None:
        yield
        return
    write_whole(ready_file, address)
    try:
        yield
    finally:
        ready_file.unlink(missing_ok=True)


def _check_space(given: BrokerSettings, data_dir: Path) -> None:
    free_mb = shutil.disk_usage(data_dir).free // MIB
    if free_mb < given.free_mb_min:
        raise CannotRun(
            Exit.DISK_FULL,
            f"only {free_mb} MB are free where {data_dir} lies, {given.free_mb_min} MB are the "
            "least (HOUSING_BROKER_FREE_MB_MIN): make room, or take another --data-dir",
        )


def _ports(wanted: int) -> Ports:
    """Reserve nothing, but look: the wanted port must be free now; the other one is chosen."""
    with socket.socket() as clients, socket.socket() as controller:
        clients.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            clients.bind((HOST, wanted))
        except OSError as error:
            raise CannotRun(
                Exit.PORT_TAKEN,
                f"port {wanted} of {HOST} is taken ({error.strerror}): is a broker running "
                f"already? Else choose another --port, or 0 for a free one",
            ) from None
        controller.bind((HOST, 0))
        return Ports(clients.getsockname()[1], controller.getsockname()[1])


def _java_options(given: BrokerSettings) -> list[str]:
    return [
        f"-Xmx{given.heap_mb}m",
        "-XX:+UseSerialGC",  # least memory; a broker of one user has little to collect
        # The second compiler takes 0.4 of a core for minutes, and pays off after hours.
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        "-Dlog4j2.configurationFile=log4j2.xml",
    ]


def _configure(data_dir: Path, ports: Ports) -> None:
    write_whole(data_dir / "server.properties", server_properties(ports))
    write_whole(data_dir / "log4j2.xml", LOG4J2_XML)


def write_whole(file: Path, text: str) -> None:
    """Write the file so that a reader sees all of it or none."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)


def _format(java: list[str], data_dir: Path) -> None:
    """Give a new data folder its cluster id; leave one that has it."""
    if (data_dir / "log" / "meta.properties").exists():
        return
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22].replace("-", "A")
    arguments = ["format", "--ignore-formatted", "-t", cluster_id]
    done = subprocess.run(
        [*java, "kafka.tools.StorageTool", *arguments, "-c", "server.properties"],
        cwd=data_dir,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise _died(f"{done.stdout}\n{done.stderr}", data_dir)


@contextmanager
def _child(java: list[str], data_dir: Path, lock: IO[str]) -> Iterator[subprocess.Popen[bytes]]:
    (data_dir / "logs" / "broker.log").unlink(missing_ok=True)
    with (data_dir / "logs" / "java.log").open("wb") as output:
        command = [*java, "kafka.Kafka", "server.properties"]
        child = children.start(command, output, pass_fds=(lock.fileno(),), folder=data_dir)
    try:
        yield child
    finally:
        _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    # A second Ctrl-C must not leave the child behind: it may hurry, not skip.
    child.terminate()
    try:
        child.wait(STOP_WITHIN_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt, _Terminated):
        child.kill()
        child.wait()


def _await_ready(child: subprocess.Popen[bytes], address: str, data_dir: Path) -> None:
    deadline_s = time.monotonic() + READY_WITHIN_S
    while not answers(address, within_s=1.0):
        _check_alive(child, data_dir)
        if time.monotonic() > deadline_s:
            raise CannotRun(
                Exit.BROKER_DIED,
                f"Kafka was not ready within {READY_WITHIN_S:g} s: see {data_dir}/logs/broker.log",
            )


def answers(address: str, within_s: float) -> bool:
    """Ask a broker for its topics: the port alone is open before it can work."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    if not _listens(address):
        time.sleep(POLL_S)
        return False
    try:
        admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
        return bool(admin.list_topics(timeout=within_s).brokers)
    except KafkaException:
        return False


def _listens(address: str) -> bool:
    host, _, port = address.partition(",")[0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1.0).close()
    except (OSError, ValueError):
        return False
    return True


def _watch(given: BrokerSettings, child: subprocess.Popen[bytes], data_dir: Path) -> NoReturn:
    while True:
        _check_alive(child, data_dir)
        _check_space(given, data_dir)
        time.sleep(1.0)


def _check_alive(child: subprocess.Popen[bytes], data_dir: Path) -> None:
    if child.poll() is not None:
        logs = (data_dir / "logs" / name for name in ("broker.log", "java.log"))
        raise _died("\n".join(_tail(file) for file in logs), data_dir)


def _tail(file: Path) -> str:
    if not file.exists():
        return ""
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - 64 * 1024))
        return opened.read().decode(errors="replace")


def _died(log: str, data_dir: Path) -> CannotRun:
    """Say why Kafka ended, in words where its log is known to us."""
    for sign, exit_code, meaning in CAUSES:
        if sign in log:
            return CannotRun(exit_code, f"Kafka ended: {meaning} (see {data_dir}/logs/broker.log)")
    telling = [line for line in log.splitlines() if " ERROR " in line or " FATAL " in line]
    last = (telling or log.strip().splitlines() or ["it left no word"])[-1]
    return CannotRun(Exit.BROKER_DIED, f"Kafka ended: {last} (see {data_dir}/logs/broker.log)")
