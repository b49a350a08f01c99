"""Items in processes of their own: same results, progress that adds up, and no one left behind."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from offline import parallel
from offline.faults import WrongInput
from offline.parallel import ChildDied, Tell
from tests.waiting import until


def doubled(item: int, tell: Tell) -> int:
    tell(item)
    return 2 * item


def refused(item: int, tell: Tell) -> int:
    raise WrongInput(f"item {item}")


def died(item: int, tell: Tell) -> int:
    os._exit(3)


@pytest.mark.parametrize("processes", [1, 2])
def test_results_and_progress_are_the_same_in_any_number_of_processes(processes: int) -> None:
    told: list[int] = []

    results = parallel.each(doubled, [1, 2, 3], processes, told.append)

    assert results == [2, 4, 6]
    assert told[-1] == 6
    assert told == sorted(told)


@pytest.mark.parametrize("processes", [1, 2])
def test_wrong_input_comes_as_it_was_raised(processes: int) -> None:
    with pytest.raises(WrongInput, match="item 1"):
        parallel.each(refused, [1, 1], processes)


def test_a_process_without_a_result_is_no_short_list() -> None:
    with pytest.raises(ChildDied, match="ended with 3"):
        parallel.each(died, [1, 2], 2)


WAITING = """
import os, signal, sys, time
from collections.abc import Callable
from pathlib import Path
from offline import parallel

def wait(item, tell):
    Path(sys.argv[1], str(os.getpid())).touch()
    while True:
        time.sleep(0.05)
        tell(1)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parallel.each(wait, [1, 2], 2)
"""


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_one_that_started_it(
    tmp_path: Path, ended_by: signal.Signals
) -> None:
    script, seen = tmp_path / "waits.py", tmp_path / "seen"
    script.write_text(WAITING)
    seen.mkdir()
    parent = subprocess.Popen([sys.executable, script, seen], stderr=subprocess.PIPE)
    until(lambda: len(list(seen.iterdir())) == 2, 30, "both have begun")

    parent.send_signal(ended_by)
    parent.communicate(timeout=30)

    for child in seen.iterdir():
        until(partial(_has_ended, int(child.name)), 30, f"{child.name} has ended")


def _has_ended(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or ") Z " in stat.read_text()
