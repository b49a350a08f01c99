"""Requests on a real broker: each answered once, whenever the worker is killed."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from offline import alerts_log
from stream_app.contract.alerts import (
    AnyAlertMessage,
    PreflightMeasured,
    RequestAnswered,
    RequestStatus,
    RolledBack,
    WorkStep,
)
from stream_app.contract.settings import KafkaSettings
from tests import messages
from tests.waiting import until

pytestmark = pytest.mark.broker

WORKER = Path(__file__).with_name("worker_of_a_test.py")
KILLED = -9
STEPS = len(WorkStep)
WITHIN_S = 120.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "effects").touch()
    return tmp_path


def start(environment: Mapping[str, str], folder: Path, *how: str) -> subprocess.Popen[bytes]:
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, str(WORKER), str(folder), *how], env=environment, stderr=log
        )


def run_until_idle(environment: Mapping[str, str], folder: Path, *how: str) -> int:
    """Start the worker again whenever it is killed; how often that was."""
    for kills in range(3 * STEPS):
        status = start(environment, folder, *how).wait(WITHIN_S)
        if status == 0:
            return kills
        assert status == KILLED, (folder / "worker.log").read_text()
    raise AssertionError("it never came to an end")


def ask(kafka: KafkaSettings) -> None:
    """One of each, and one of them twice."""
    for asked in (
        messages.preflight_requested(),
        messages.retrain_requested(promote=True),
        messages.retrain_requested(promote=True),
        messages.rollback_requested(leave_version="v2"),
    ):
        alerts_log.tell(kafka, asked)


def check_answered_once(kafka: KafkaSettings, folder: Path) -> None:
    """Each request has one beginning and one end; each step had its effect once.

    Raises
    ------
    AssertionError : something is lost or there twice
    """
    found = list(alerts_log.read(kafka))
    answers = [m for m in found if isinstance(m, RequestAnswered)]
    ends = Counter(a.request_id for a in answers if a.status is RequestStatus.DONE)
    begins = Counter(a.request_id for a in answers if a.status is RequestStatus.ACCEPTED)
    assert begins == {"p-1": 1, "r-1": 1}, "accepted anew"
    assert ends == {"p-1": 1, "r-1": 1, "b-1": 1}
    assert {a.status for a in answers}.isdisjoint({RequestStatus.FAILED, RequestStatus.REFUSED})
    assert count(found, PreflightMeasured) == count(found, RolledBack) == 1
    effects = Counter((folder / "effects").read_text().splitlines())
    assert effects == {
        "p-1 preflight": 1,
        "r-1 train": 1,
        "r-1 gate": 1,
        "r-1 promote": 1,
        "b-1 rollback": 1,
    }


def count(found: list[AnyAlertMessage], kind: type[AnyAlertMessage]) -> int:
    return sum(isinstance(message, kind) for message in found)


def test_each_request_is_answered_once_though_every_step_kills_the_worker_twice(
    kafka: KafkaSettings, environment: Mapping[str, str], folder: Path
) -> None:
    ask(kafka)

    kills = run_until_idle(environment, folder, "kill")

    assert kills >= STEPS  # a roll back and a pre-flight may die in one kill
    check_answered_once(kafka, folder)
    promoted = [m for m in alerts_log.read(kafka) if isinstance(m, RequestAnswered) and m.promoted]
    assert [m.version for m in promoted] == ["v2"]


def test_the_check_catches_a_worker_that_forgets_its_answers(
    kafka: KafkaSettings, environment: Mapping[str, str], folder: Path
) -> None:
    ask(kafka)

    run_until_idle(environment, folder, "kill:preflight", "forgetful")

    with pytest.raises(AssertionError, match="accepted anew"):
        check_answered_once(kafka, folder)


def test_a_roll_back_waits_for_no_training_and_sigterm_ends_all_in_order(
    kafka: KafkaSettings, environment: Mapping[str, str], folder: Path
) -> None:
    def answers(name: str) -> list[RequestAnswered]:
        found = alerts_log.read(kafka)
        return [m for m in found if isinstance(m, RequestAnswered) and m.request_id == name]

    def trains() -> bool:
        return "r-1 train" in (folder / "effects").read_text()

    alerts_log.tell(kafka, messages.retrain_requested())
    worker = start(environment, folder, "wait:train")
    try:
        until(trains, WITHIN_S, "the training runs")
        asked_s = time.monotonic()
        alerts_log.tell(kafka, messages.rollback_requested(leave_version="v2"))
        until(
            lambda: [a for a in answers("b-1") if a.status is RequestStatus.DONE],
            WITHIN_S,
            "the roll back is done",
        )
        waited_s = time.monotonic() - asked_s
        worker.terminate()
        status = worker.wait(WITHIN_S)
    finally:
        worker.kill()
        worker.wait()

    assert status == 0, (folder / "worker.log").read_text()
    assert answers("r-1")[-1].status is RequestStatus.RUNNING
    print(f"answered {waited_s:.1f} s after it was asked")  # told with -rP, and not judged


def test_a_second_worker_fences_the_first(
    kafka: KafkaSettings, environment: Mapping[str, str], folder: Path
) -> None:
    first = alerts_log.AlertsLog(kafka)
    second = alerts_log.AlertsLog(kafka)
    said = messages.answered(RequestStatus.ACCEPTED)

    with pytest.raises(alerts_log.NotSaid):
        first.say([said])
    assert second.say([said]) == [said]
    for each in (first, second):
        each.close()
