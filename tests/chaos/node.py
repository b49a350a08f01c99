"""The broker of a run: our own, which may be hurt, or the one that is named, which may not."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.chaos import processes
from tests.integration import brokers
from tests.waiting import until

_STOP_WITHIN_S = 40.0


class OwnBroker:
    """`python -m stream_app broker` on a folder and a port that stay the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = brokers.free_port()
        self._process: subprocess.Popen[bytes] | None = None
        # The kernel ends the broker with the thread that started it (shell/children.py), and
        # the thread of a fault ends before the run does.
        self._starter = ThreadPoolExecutor(1, "broker-starter")
        self.address = f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Return when it answers."""
        ready = self._folder.with_name("broker.ready")
        starting = self._starter.submit(brokers.start_local, self._folder, ready, self._port)
        self._process = process = starting.result()
        until(
            lambda: ready.exists() or process.poll() is not None,
            brokers.READY_WITHIN_S,
            "the local broker is ready",
        )
        assert process.poll() is None, ready.with_suffix(".out").read_text()

    def stop(self) -> int:
        """SIGTERM; give the exit status."""
        process = self._running()
        process.terminate()
        return process.wait(_STOP_WITHIN_S)

    def kill(self) -> None:
        """SIGKILL Java; the program around it says so and ends."""
        process = self._running()
        os.kill(self.java(), signal.SIGKILL)
        status = process.wait(_STOP_WITHIN_S)
        assert status != 0, "the broker's program did not notice that Java was killed"

    def java(self) -> int:
        """Process id of Java."""
        (child,) = processes.children(self._running().pid)
        return child

    def close(self) -> None:
        """Stop it, whatever state it is in."""
        process = self._process
        if process is not None and process.poll() is None:
            for child in processes.children(process.pid):
                os.kill(child, signal.SIGCONT)
            process.terminate()
            try:
                process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._starter.shutdown()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the broker was not started"
        return self._process


@contextmanager
def broker(folder: Path) -> Iterator[tuple[str, OwnBroker | None]]:
    """Give an address, and the broker itself when it is ours."""
    named = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if named:
        yield named, None
        return
    own = OwnBroker(folder)
    try:
        own.start()
        yield own.address, own
    finally:
        own.close()
