"""The workers of a run as processes, and their supervisor: what ends with a fault starts anew."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tests.chaos import processes
from tests.waiting import until

_POLL_S = 0.1
_RESTART_AFTER_S = 0.2
_STOP_WITHIN_S = 20.0
# How a worker may end: told to stop; a fault of ours; killed by us.
_FINE = {0, 70, -signal.SIGKILL}


class Slot:
    """One worker's place. The process in it changes, the log is of all of them."""

    def __init__(
        self, stage: str, log: Path, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self.stage = stage
        self.ended: dict[int, int] = {}  # process id -> exit status
        self.wanted = False  # whether the supervisor starts it anew
        self._log = log
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()  # one starts or stops at a time

    def start(self, chaos: str = "") -> None:
        """Start a process, unless one runs."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            self.wanted = True
            with self._log.open("ab") as stderr:
                self._process = subprocess.Popen(
                    self._command,
                    env={**self._environment, "HOUSING_STREAM_CHAOS": chaos},
                    stdin=subprocess.DEVNULL,
                    stderr=stderr,
                    start_new_session=True,  # a Ctrl-C comes to us alone
                )

    def keep(self) -> None:
        """Start it if it is wanted and never ran, or has ended."""
        with self._lock:
            if not self.wanted or self.is_running():
                return
            if self._process is not None:
                self._note_exit()
                time.sleep(_RESTART_AFTER_S)
            self.start()

    def stop(self) -> int:
        """SIGTERM, and no new start; give the exit status."""
        with self._lock:
            self.wanted = False
            process = self._running()
            process.terminate()
            status = process.wait(_STOP_WITHIN_S)
            self._note_exit()
            return status

    def kill(self) -> int:
        """SIGKILL; give the exit status. The supervisor starts it anew."""
        with self._lock:
            process = self._running()
            process.kill()
            return process.wait(_STOP_WITHIN_S)

    def freeze(self) -> int:
        """SIGSTOP; return its process id when it has stopped."""
        pid = self.pid
        os.kill(pid, signal.SIGSTOP)
        until(lambda: processes.is_stopped(pid), 5, f"process {pid} stops")
        return pid

    @property
    def pid(self) -> int:
        return self._running().pid

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """Kill what runs, also what is frozen."""
        with self._lock:
            self.wanted = False
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
                self._process.wait()

    def logged(self, message: str, pid: int | None = None) -> list[dict[str, Any]]:
        """The lines of its log with this message, of one process or of all."""
        found = []
        for text in self._log.read_text("utf-8", "replace").splitlines():
            if message in text and text.startswith("{"):
                line = json.loads(text)
                if line["message"].startswith(message) and pid in (None, line["pid"]):
                    found.append(line)
        return found

    def held(self, since: str = "") -> set[int]:
        """The partitions that its process opened last; none while it has not, `since` then."""
        if not self.is_running():
            return set()
        if not self.assigned(since):
            return set()
        return {int(partition) for partition in self.logged("opened", self.pid)[-1]["applied"]}

    def assigned(self, since: str = "") -> bool:
        """Whether its process was assigned anything, or nothing, `since` then."""
        opened = self.logged("opened", self.pid)
        return bool(opened) and opened[-1]["at"] >= since

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "never started"
        return self._process

    def _note_exit(self) -> None:
        process = self._running()
        self.ended[process.pid] = process.returncode


class Crew:
    """All slots, and the thread that keeps them running."""

    def __init__(self) -> None:
        self.slots: list[Slot] = []
        self.gone: list[Slot] = []  # those that left for good
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(_STOP_WITHIN_S)
        for slot in self.slots:
            slot.close()

    def of(self, stage: str) -> list[Slot]:
        return [slot for slot in self.slots if slot.stage == stage]

    def stop_all(self) -> list[int]:
        """SIGTERM to all that run; their exit statuses."""
        return [slot.stop() for slot in self.slots if slot.wanted]

    def exits(self) -> dict[int, int]:
        """How often each exit status was seen."""
        counted = Counter(
            status for slot in (*self.slots, *self.gone) for status in slot.ended.values()
        )
        return dict(sorted(counted.items()))

    def strange_exits(self) -> dict[int, int]:
        """Those that no fault of ours explains."""
        return {status: count for status, count in self.exits().items() if status not in _FINE}

    def _supervise(self) -> None:
        while not self._closing.wait(_POLL_S):
            for slot in list(self.slots):
                slot.keep()


def now() -> str:
    """The time as it stands in logs."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def command(stage: str) -> tuple[str, ...]:
    """The real command line of a worker."""
    return (sys.executable, "-m", "stream_app", "worker", "--stage", stage)
