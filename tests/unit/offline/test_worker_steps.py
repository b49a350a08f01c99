"""A step is one of our own commands; how it ended says whose fault it was."""

import sys
from pathlib import Path

import msgspec
import pytest

from offline import arguments, worker_steps
from offline.settings import OfflineSettings
from offline.worker_results import Ended, Fault
from offline.worker_steps import Child, judge
from stream_app.contract.alerts import RequestStatus, WorkStep
from tests import messages
from tests.waiting import until

NOW_MS = 1_700_000_000_000  # 2023-11-14
RUNNING = messages.answered(RequestStatus.RUNNING, version="v2")


@pytest.mark.parametrize("step", WorkStep)
def test_each_step_is_a_command_that_there_is(step: WorkStep) -> None:
    asked = messages.retrain_requested()

    told = worker_steps.command(step, asked, RUNNING, NOW_MS)

    assert told[:3] == [sys.executable, "-m", "offline"]
    assert arguments.parser().parse_args(told[3:]).market == asked.market


def test_a_training_without_a_date_knows_all_so_far() -> None:
    def of(train_to_ms: int | None) -> str:
        asked = messages.retrain_requested(train_to_ms=train_to_ms)
        told = list(worker_steps.command(WorkStep.TRAIN, asked, RUNNING, NOW_MS))
        return told[told.index("--train-to") + 1]

    assert (of(None), of(NOW_MS)) == ("2023-11-15", "2023-11-14")


def test_no_reason_keeps_a_command_from_starting() -> None:
    asked = messages.rollback_requested(reasons=("--json", "\0" * 200_000))

    told = worker_steps.command(WorkStep.ROLLBACK, asked, RUNNING, NOW_MS)

    reason = arguments.parser().parse_args(told[3:]).reason
    assert reason.startswith("--json; ")
    assert "\0" not in reason
    assert len(reason) < 1_100


@pytest.mark.parametrize(
    ("step", "status", "out", "ended"),
    [
        (WorkStep.TRAIN, 0, b'{"version": "v2"}\n', Ended(Fault.NONE, "", {"version": "v2"})),
        (WorkStep.GATE, 1, b'{"passed": false}', Ended(Fault.NONE, "", {"passed": False})),
        (WorkStep.GATE, 1, b"", Ended(Fault.AROUND, "no broker")),
        (WorkStep.TRAIN, 2, b"", Ended(Fault.ASKED, "no broker")),
        (WorkStep.TRAIN, 1, b"", Ended(Fault.AROUND, "no broker")),
        (WorkStep.TRAIN, 0, b"no JSON", Ended(Fault.AROUND, "no broker")),
        (WorkStep.TRAIN, -9, b"", Ended(Fault.AROUND, "train was ended by signal 9")),
    ],
    ids=["done", "not passed", "no word", "cannot be done", "failed", "no JSON", "killed"],
)
def test_how_a_command_ended_says_whose_fault_it_was(
    step: WorkStep, status: int, out: bytes, ended: Ended
) -> None:
    assert judge(step, status, out, "replaying\nno broker\n\n") == ended


def test_a_command_that_says_nothing_is_named_by_its_status() -> None:
    assert judge(WorkStep.TRAIN, 3, b"", "").reason == "train: exit status 3"


def child(folder: Path, code: str, **settings: object) -> Child:
    own = msgspec.structs.replace(OfflineSettings(), **settings)
    return Child(WorkStep.TRAIN, [sys.executable, "-c", code], own, folder / "logs", "r-1-train")


def end_of(running: Child) -> Ended:
    return until(running.ended, 30, "the command ends")


def test_a_command_is_run_and_what_it_says_is_kept(tmp_path: Path) -> None:
    running = child(tmp_path, "import sys; print('{\"a\": 1}'); print('told', file=sys.stderr)")

    assert end_of(running) == Ended(Fault.NONE, "", {"a": 1})
    assert (tmp_path / "logs" / "r-1-train.log").read_text() == "told\n"


def test_a_command_that_takes_too_much_memory_fails_alone(tmp_path: Path) -> None:
    running = child(tmp_path, "bytearray(2_000_000_000)", worker_memory_mb=256)

    assert end_of(running) == Ended(Fault.AROUND, "MemoryError")


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    running = child(tmp_path, "import signal; signal.pause()", worker_step_within_s=0.2)

    assert end_of(running) == Ended(Fault.AROUND, "train took too long and was ended")


def test_what_is_stopped_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, signal; "
        "print(subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']).pid, "
        "file=sys.stderr, flush=True); signal.pause()"
    )
    running = child(tmp_path, code)
    log = tmp_path / "logs" / "r-1-train.log"
    grandchild = int(until(log.read_text, 30, "it has started another"))

    running.stop()

    until(lambda: not _lives(grandchild), 30, "the other has ended, too")


def _lives(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
