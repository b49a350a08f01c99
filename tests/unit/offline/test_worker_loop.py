"""The loop does what is decided: it says a step, runs it, and says how it ended."""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from offline.settings import OfflineSettings
from offline.worker_loop import Worker
from offline.worker_steps import Command
from stream_app.contract.alerts import (
    AnyAlertMessage,
    AnyRequest,
    RequestAnswered,
    RequestStatus,
    WorkStep,
)
from stream_app.contract.settings import KafkaSettings
from tests import messages
from tests.fakes.alerts import FakeAlerts

DONE = {
    WorkStep.TRAIN: '{"version": "v2"}',
    WorkStep.GATE: '{"passed": true, "reasons": []}',
    WorkStep.PROMOTE: "{}",
    WorkStep.ROLLBACK: '{"champion": "v1"}',
}


def says(code: dict[WorkStep, str]) -> Command:
    """Commands that run a line of Python each; by default they say that all is well."""

    def command(
        step: WorkStep, request: AnyRequest, answer: RequestAnswered, now_ms: int
    ) -> Sequence[str]:
        return [sys.executable, "-c", code.get(step, f"print({DONE[step]!r})")]

    return command


def work(alerts: FakeAlerts, folder: Path, code: dict[WorkStep, str] | None = None) -> list[str]:
    """Run until nothing is left; the answers in words."""
    own = OfflineSettings(worker_logs=str(folder), worker_again_after_s=0.0)
    worker = Worker(KafkaSettings(), own, says(code or {}), alerts)
    worker.run(threading.Event(), until_idle=True)
    return [in_words(m) for m in alerts.topic if isinstance(m, RequestAnswered)]


def in_words(answer: RequestAnswered) -> str:
    step = "" if answer.step is None else f" {answer.step}"
    return f"{answer.request_id} {answer.status}{step}"


def on_topic(*given: AnyAlertMessage) -> FakeAlerts:
    return FakeAlerts(list(given))


def test_a_retraining_goes_from_step_to_step(tmp_path: Path) -> None:
    told = work(on_topic(messages.retrain_requested(promote=True)), tmp_path)

    assert told == [
        "r-1 accepted",
        "r-1 running train",
        "r-1 running gate",
        "r-1 running promote",
        "r-1 done promote",
    ]


def test_it_goes_on_where_another_worker_was_killed(tmp_path: Path) -> None:
    alerts = on_topic(
        messages.retrain_requested(promote=True),
        messages.answered(RequestStatus.ACCEPTED),
        messages.answered(RequestStatus.RUNNING, step=WorkStep.GATE, version="v2"),
    )

    told = work(alerts, tmp_path, {WorkStep.TRAIN: "raise SystemExit('trained again')"})

    assert told[2:] == ["r-1 running gate", "r-1 running promote", "r-1 done promote"]


@pytest.mark.parametrize(
    ("status", "attempts"), [(2, 1), (1, 2)], ids=["cannot be done", "around us"]
)
def test_a_step_that_fails_is_tried_as_often_as_that_helps(
    tmp_path: Path, status: int, attempts: int
) -> None:
    alerts = on_topic(messages.retrain_requested())
    fails = f"import sys; print('no homes', file=sys.stderr); sys.exit({status})"

    told = work(alerts, tmp_path, {WorkStep.TRAIN: fails})

    assert told == ["r-1 accepted", *["r-1 running train"] * attempts, "r-1 failed train"]
    last = alerts.topic[-1]
    assert isinstance(last, RequestAnswered)
    assert (last.reason, last.promoted) == ("no homes", False)


def test_a_roll_back_and_a_training_run_beside_each_other(tmp_path: Path) -> None:
    began = tmp_path / "began"
    waits = (
        "import pathlib, time\n"
        f"while not pathlib.Path({str(began)!r}).exists(): time.sleep(0.01)\n"
        f"print({DONE[WorkStep.TRAIN]!r})"
    )
    rolls_back = f"open({str(began)!r}, 'w'); print({DONE[WorkStep.ROLLBACK]!r})"
    alerts = on_topic(messages.retrain_requested(), messages.rollback_requested(leave_version="v3"))

    told = work(alerts, tmp_path, {WorkStep.TRAIN: waits, WorkStep.ROLLBACK: rolls_back})

    # The training ends only because the roll back has run.
    assert {"b-1 done rollback", "r-1 waiting gate"} <= set(told)


def test_an_approval_that_came_before_the_start_is_heeded(tmp_path: Path) -> None:
    waiting = messages.answered(RequestStatus.WAITING, step=WorkStep.GATE, version="v2")

    told = work(on_topic(messages.retrain_requested(), waiting, messages.approval()), tmp_path)

    assert told[1:] == ["r-1 running promote", "r-1 done promote"]


def test_a_result_that_says_nothing_of_use_is_our_fault(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        work(on_topic(messages.retrain_requested()), tmp_path, {WorkStep.TRAIN: "print('{}')"})


class StopsOnce(FakeAlerts):
    """Tells the worker to stop when it says that a training runs."""

    stopping = threading.Event()

    def say(self, messages: Sequence[AnyAlertMessage]) -> list[AnyAlertMessage]:
        if any(isinstance(m, RequestAnswered) and m.step is WorkStep.TRAIN for m in messages):
            self.stopping.set()
        return super().say(messages)


def test_what_runs_is_ended_with_the_worker(tmp_path: Path) -> None:
    alerts = StopsOnce([messages.retrain_requested()])
    forever = says({WorkStep.TRAIN: "import signal; signal.pause()"})
    own = OfflineSettings(worker_logs=str(tmp_path))

    Worker(KafkaSettings(), own, forever, alerts).run(alerts.stopping)

    assert [in_words(m) for m in alerts.topic if isinstance(m, RequestAnswered)] == [
        "r-1 accepted",
        "r-1 running train",
    ]
