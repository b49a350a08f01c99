"""A worker that ended with a fault is started anew; one that ended well is not."""

import signal
import sys
import threading
from pathlib import Path

from stream_app.shell.supervisor import Supervisor
from tests.waiting import until

# Appends a line per life, then ends with the status that is due.
LIVES = """
import sys, pathlib
path, *statuses = sys.argv[1:]
lives = pathlib.Path(path)
with lives.open("a") as file:
    file.write("x")
sys.exit(int(statuses[len(lives.read_text()) - 1]))
"""


def lives(path: Path, *statuses: int) -> Supervisor:
    command = [sys.executable, "-c", LIVES, str(path), *map(str, statuses)]
    return Supervisor(command, first_wait_s=0.01)


def test_a_child_is_started_until_it_ends_well(tmp_path: Path) -> None:
    assert lives(tmp_path / "lives", 70, 70, 0).run() == 0

    assert (tmp_path / "lives").read_text() == "xxx"


def test_wrong_settings_are_not_tried_again(tmp_path: Path) -> None:
    assert lives(tmp_path / "lives", 2, 0).run() == 2

    assert (tmp_path / "lives").read_text() == "x"


def test_a_signal_is_passed_on_and_nothing_is_started_after_it(tmp_path: Path) -> None:
    program = (
        "import signal, sys, pathlib\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        f"pathlib.Path({str(tmp_path / 'up')!r}).touch()\n"
        "signal.pause()\n"
    )
    supervisor = Supervisor([sys.executable, "-c", program])
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(supervisor.run()))
    thread.start()
    until((tmp_path / "up").exists, 20, "the child is up")

    supervisor.stop(signal.SIGTERM)
    thread.join(10)

    assert statuses == [0]


def test_being_told_to_stop_ends_the_wait_for_the_next_start(tmp_path: Path) -> None:
    program = f"import sys, pathlib; pathlib.Path({str(tmp_path / 'up')!r}).touch(); sys.exit(70)"
    supervisor = Supervisor([sys.executable, "-c", program], first_wait_s=600)
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(supervisor.run()))
    thread.start()
    until((tmp_path / "up").exists, 20, "the child was up")

    supervisor.stop(signal.SIGTERM)
    thread.join(10)

    assert len(statuses) == 1
