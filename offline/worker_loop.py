"""`python -m offline worker`: reads what is asked, runs what is decided, says how it ended.

Not here: what is decided (worker.py, worker_results.py), the commands (worker_steps.py).
"""

import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from offline import announced
from offline.progress import say
from offline.settings import OfflineSettings
from offline.worker import Next, Now, decide
from offline.worker_results import Ended, settle
from offline.worker_steps import Child, Command
from stream_app.contract import requests
from stream_app.contract.alerts import (
    AnyAlertMessage,
    RequestAnswered,
    RollbackRequested,
    WorkStep,
)
from stream_app.contract.models import Alias
from stream_app.contract.requests import Asked, Requests
from stream_app.contract.settings import KafkaSettings


class Alerts(Protocol):
    """The worker's end of the topic (alerts_log.py)."""

    def to_end(self) -> list[AnyAlertMessage]: ...

    def more(self) -> list[AnyAlertMessage]: ...

    def say(self, messages: Sequence[AnyAlertMessage]) -> list[AnyAlertMessage]: ...

    def close(self) -> None: ...


class Worker:
    """One worker on one system."""

    def __init__(
        self, kafka: KafkaSettings, own: OfflineSettings, command: Command, alerts: Alerts
    ) -> None:
        self._kafka = kafka
        self._own = own
        self._command = command
        self._alerts = alerts
        self._requests: Requests = {}
        self._children: dict[str, Child] = {}
        self.answered = 0  # requests that came to an end here
        self._later: dict[str, tuple[float, WorkStep]] = {}  # to be begun at a moment

    def run(self, stopping: threading.Event, *, until_idle: bool = False) -> None:
        """Work until told to stop, or until nothing is left; then end what runs.

        What was not done goes on at the next start.

        Raises
        ------
        NotSaid : the topic is not to be had, or another worker has begun
        """
        try:
            self._take(self._alerts.to_end())
            while not stopping.is_set():
                self._settle_ended()
                self._begin_later()
                while (step := decide(self._requests, self._now())) is not None:
                    self._do(step)
                if until_idle and not (self._children or self._later):
                    break
                self._take(self._alerts.more())
        finally:
            for child in self._children.values():
                child.stop()
            self._alerts.close()

    def _take(self, messages: Sequence[AnyAlertMessage]) -> None:
        for message in messages:
            requests.take(self._requests, message)

    def _now(self) -> Now:
        return Now(
            time.time_ns() // 1_000_000,
            frozenset(self._children) | frozenset(self._later),
            self._champions(),
            self._own.worker_promotes,
        )

    def _champions(self) -> dict[str, str]:
        """Who serves the markets whose roll back does not say whom to leave."""
        markets = {
            asked.request.market
            for asked in self._requests.values()
            if asked.status is None
            and isinstance(asked.request, RollbackRequested)
            and asked.request.leave_version is None
        }
        found = {market: announced.read(self._kafka, market).aliases for market in markets}
        return {
            m: aliases[Alias.CHAMPION] for m, aliases in found.items() if Alias.CHAMPION in aliases
        }

    def _do(self, step: Next) -> None:
        """Say it, and only then begin it."""
        self._take(self._alerts.say(step.messages))
        for message in step.messages:
            if isinstance(message, RequestAnswered):
                self.answered += message.status in requests.ENDS
                say(_in_words(message))
        if step.begin is None:
            return
        if step.again:
            at_s = time.monotonic() + self._own.worker_again_after_s
            self._later[step.request.request_id] = at_s, step.begin
        else:
            self._begin(self._requests[step.request.request_id], step.begin)

    def _begin(self, asked: Asked, step: WorkStep) -> None:
        request, answer = asked.request, asked.answer
        assert answer is not None  # noqa: S101 - it is said to run
        told = self._command(step, request, answer, time.time_ns() // 1_000_000)
        name = f"{request.request_id}-{step}"
        self._children[request.request_id] = Child(
            step, told, self._own, Path(self._own.worker_logs), name
        )

    def _begin_later(self) -> None:
        for name, (at_s, step) in list(self._later.items()):
            if time.monotonic() >= at_s:
                del self._later[name]
                self._begin(self._requests[name], step)

    def _settle_ended(self) -> None:
        for name, child in list(self._children.items()):
            ended = child.ended()
            if ended is not None:
                del self._children[name]
                self._settle(name, child.step, ended)

    def _settle(self, name: str, step: WorkStep, ended: Ended) -> None:
        self._do(settle(self._requests[name], step, ended, self._now()))


def _in_words(answer: RequestAnswered) -> str:
    step = "" if answer.step is None else f" {answer.step}"
    version = "" if answer.version is None else f", {answer.version}"
    reason = f": {answer.reason}" if answer.reason else ""
    return f"{answer.request_id} ({answer.market}) {answer.status}{step}{version}{reason}"


def stop_on_sigterm() -> threading.Event:
    """An event that SIGTERM sets. Ctrl-C raises, as anywhere else."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopping.set())
    return stopping
