"""A step as a command of ours in a child process: how it is started, and how it ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from offline.faults import WRONG_INPUT
from offline.settings import OfflineSettings
from offline.worker_results import Ended, Fault
from stream_app.contract.alerts import AnyRequest, RequestAnswered, RetrainRequested, WorkStep
from stream_app.contract.spans import DAY_MS

Command = Callable[[WorkStep, AnyRequest, RequestAnswered, int], Sequence[str]]
_REASON_LETTERS_MAX = 1_000  # whoever writes to the topic may say anything
_BY = "retraining worker"
_KILL_AFTER_S = 5.0  # a child that does not heed SIGTERM


def command(
    step: WorkStep, request: AnyRequest, answer: RequestAnswered, now_ms: int
) -> Sequence[str]:
    """What a step is on the command line."""
    version = answer.version or ""
    told_by = "; ".join(request.reasons).replace("\0", " ")[:_REASON_LETTERS_MAX]
    reason = f"{told_by} (request {request.request_id})"
    deed = "--reason", reason, "--by", _BY
    told = {
        WorkStep.PREFLIGHT: ["preflight", "--events", "topic"],
        WorkStep.TRAIN: [
            *("train", "--events", "topic", "--request", request.request_id),
            *("--train-to", _day(request, now_ms), *deed),
        ],
        WorkStep.GATE: ["gate", "--events", "topic", "--version", version],
        WorkStep.PROMOTE: ["promote", "--version", version, *deed],
        WorkStep.ROLLBACK: ["rollback", "--leave", version, *deed],
    }[step]
    return [sys.executable, "-m", "offline", *told, "--market", request.market, "--json"]


def _day(request: AnyRequest, now_ms: int) -> str:
    """The day before whose start is trained on: the one asked for, or tomorrow."""
    at_ms = request.train_to_ms if isinstance(request, RetrainRequested) else None
    at_ms = now_ms + DAY_MS if at_ms is None else at_ms
    return time.strftime("%Y-%m-%d", time.gmtime(at_ms / 1000))


class Child:
    """One command that runs. What it says is kept in two files of `logs`."""

    def __init__(
        self, step: WorkStep, told: Sequence[str], own: OfflineSettings, logs: Path, name: str
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.step = step
        self._ends_s = time.monotonic() + own.worker_step_within_s
        self._out, self._err = (logs / f"{name}.{suffix}" for suffix in ("json", "log"))
        limits = [sys.executable, "-m", "stream_app.limited", str(own.worker_memory_mb)]
        with self._out.open("wb") as out, self._err.open("ab") as err:
            self._process = _start([*limits, *told], out, err)

    def ended(self) -> Ended | None:
        """How it ended; None while it runs. One that takes too long is ended."""
        status = self._process.poll()
        if status is None and time.monotonic() > self._ends_s:
            self.stop()
            return Ended(Fault.AROUND, f"{self.step} took too long and was ended")
        if status is None:
            return None
        return judge(
            self.step, status, self._out.read_bytes(), self._err.read_text("utf-8", "replace")
        )

    def stop(self) -> None:
        """End it and what it has started, and wait until it has ended."""
        if self._process.poll() is not None:
            return
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _start(told: Sequence[str], out: IO[bytes], err: IO[bytes]) -> subprocess.Popen[bytes]:
    # A session of its own: a Ctrl-C comes to the worker, which ends its children in order.
    return subprocess.Popen(
        told, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
    )


def judge(step: WorkStep, status: int, out: bytes, err: str) -> Ended:
    """How a command ended, from what is left of it."""
    said = [line for line in err.splitlines() if line.strip()]
    reason = said[-1] if said else f"{step}: exit status {status}"
    result = _result(out)
    # The gate's word is its result, whichever way it goes.
    if result is not None and (status == 0 or (step is WorkStep.GATE and "passed" in result)):
        return Ended(Fault.NONE, "", result)
    if status < 0:
        reason = f"{step} was ended by signal {-status}"
    return Ended(Fault.ASKED if status == WRONG_INPUT else Fault.AROUND, reason)


def _result(out: bytes) -> Mapping[str, object] | None:
    lines = out.splitlines()
    try:
        return msgspec.json.decode(lines[-1], type=dict[str, object]) if lines else None
    except msgspec.MsgspecError:
        return None
