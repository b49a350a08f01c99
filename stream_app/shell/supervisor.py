"""Keeps one worker running: starts it, and starts it anew when it ends with a fault.

Not a process manager: one child, no files, no log handling. Under compose or
systemd their own restart policy serves as well. A worker ends with 70 at any
fault on purpose (shell/runner.py), so a restart is its normal way to mend.
"""

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from stream_app.shell import children, logs

_log = logging.getLogger(__name__)
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
_HEALTHY_AFTER_S = 60.0  # a worker that lived this long starts the waiting over
_WRONG_SETTINGS = 2  # no restart mends that


class Supervisor:
    """Runs one command again and again until it ends well or we are told to stop."""

    def __init__(
        self,
        command: Sequence[str],
        first_wait_s: float = _FIRST_WAIT_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._first_wait_s = first_wait_s
        self._now_s = now_s
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Give the status of the last child: 0 ended well, 2 wrong settings, else told to stop."""
        wait_s = self._first_wait_s
        while True:
            started_s = self._now_s()
            status = self._run_once()
            if status in (0, _WRONG_SETTINGS) or self._stopping.is_set():
                return status
            if self._now_s() - started_s >= _HEALTHY_AFTER_S:
                wait_s = self._first_wait_s
            _log.warning("restarting", extra={"status": status, "wait_s": wait_s})
            if self._stopping.wait(wait_s):
                return status
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def stop(self, received: int) -> None:
        """Pass a signal on to the child and start none any more."""
        self._stopping.set()
        if self._child is not None:
            self._child.send_signal(received)

    def _run_once(self) -> int:
        self._child = children.start(self._command)
        _log.info("started", extra={"child": self._child.pid})
        if self._stopping.is_set():  # told while it was being started
            self._child.send_signal(signal.SIGTERM)
        return self._child.wait()


def supervise(worker_options: Sequence[str]) -> int:
    """Keep `python -m stream_app worker` running with these options."""
    logs.start()
    supervisor = Supervisor([sys.executable, "-m", "stream_app", "worker", *worker_options])
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda received, _frame: supervisor.stop(received))
    return supervisor.run()
