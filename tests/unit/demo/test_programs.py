"""Programs are started, watched and ended with all that they started themselves."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import programs
from demo.programs import ProgramFailed, Programs
from demo.stopping import Stop, Stopped
from tests.waiting import until

FOREVER = "import threading; threading.Event().wait()"
# Ends on no signal but SIGKILL, and has a child in a session of its own that does not either.
STUBBORN = """
import signal, subprocess, sys, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[1:] == []:
    child = subprocess.Popen([sys.executable, "-m", "stubborn", "child"], start_new_session=True)
    print(child.pid, flush=True)
else:
    print("child", flush=True)
threading.Event().wait()
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Programs]:
    (tmp_path / "forever.py").write_text(FOREVER)
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    (tmp_path / "speaks.py").write_text("print('a result')")
    (tmp_path / "fails.py").write_text("import sys; sys.exit('no such file')")
    running = Programs(tmp_path / "logs", {"PYTHONPATH": str(tmp_path)}, lambda: None)
    yield running
    running.stop_all()


def test_a_program_is_run_to_its_end_and_gives_what_it_printed(started: Programs) -> None:
    assert started.run("a", "speaks") == "a result\n"


def test_a_program_that_fails_is_named_with_its_status(started: Programs) -> None:
    with pytest.raises(ProgramFailed, match="b ended with status 1") as failed:
        started.run("b", "fails")

    assert failed.value.program.log.read_text() == "no such file\n"


def test_a_program_that_ends_on_its_own_is_noticed_while_another_runs(started: Programs) -> None:
    started.start("worker", "speaks")
    other = started.start("other", "forever")

    with pytest.raises(ProgramFailed, match="worker ended with status 0"):
        started.finish(other)


def test_a_request_to_stop_ends_a_wait(tmp_path: Path) -> None:
    stop = Stop()
    stopping = Programs(tmp_path / "logs", {}, stop.check)
    program = stopping.start("never ends", "http.server", "--bind", "127.0.0.1", "0")
    stop.tell(signal.SIGTERM)
    stop.tell(signal.SIGINT)

    with pytest.raises(Stopped) as stopped:
        stopping.finish(program)
    stopping.stop_all()

    assert stopped.value.status == 143
    assert program.process.poll() is not None


def test_a_wait_without_progress_blames_the_program(started: Programs) -> None:
    program = started.start("worker", "forever")

    with pytest.raises(ProgramFailed, match=r"worker did not apply any more events within 0\.3 s"):
        started.await_(lambda: False, 0.3, program, "apply any more events")


def test_a_wait_goes_on_while_there_is_progress(started: Programs) -> None:
    program = started.start("worker", "forever")
    asked: list[int] = []

    def progress() -> int:
        asked.append(0)
        return len(asked)

    started.await_(lambda: len(asked) >= 6, 0.3, program, "move", progress)

    assert len(asked) >= 6


def test_what_ignores_a_request_to_stop_is_killed_with_its_descendants(
    started: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "STOP_WITHIN_S", 0.5)
    program = started.start("stubborn", "stubborn")
    until(lambda: "child" in program.printed(), 20, "the child runs")
    child = Path(f"/proc/{program.printed().split()[0]}")

    started.stop(program)

    assert program.process.poll() is not None
    until(lambda: _has_ended(child), 10, "the child has ended, too")


def _has_ended(folder: Path) -> bool:
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of descendants")
