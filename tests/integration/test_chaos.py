"""The chaos command, short: a run stays green, and each control goes red.

The size that is promised, and its line, stand in docs/promises.md.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import processes
from tests.chaos.run import LEARNERS
from tests.integration.brokers import plain_environment
from tests.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.chaos]

# Both stages and the broker: death in a swap, in a step and of the broker, a zombie, SIGTERM.
FAULTS, EVENTS, SEED = 5, 2_500, 63
CONTROL_SEED = 4
SCORERS = 2  # unless told otherwise
# What must be seen of a planted bug. The other two controls are seen here as well, by other means:
# test_exactly_once.py splits the transaction, tests/laws/test_duplicates.py takes dedupe away.
SEEN_AS = {"acknowledge-before-commit": "lost", "no-fencing": "visible_twice"}


Told = tuple[int, dict[str, Any], str]


def chaos(environment: Mapping[str, str], seed: int, *options: str) -> Told:
    """Run it; give its status, its line, and what it told."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--seed", str(seed), *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr[-4_000:]
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.timeout(900)
def test_a_short_run_stays_green() -> None:
    status, line, told = chaos(
        plain_environment(), SEED, "--faults", str(FAULTS), "--events", str(EVENTS)
    )

    assert status == 0, told[-4_000:]
    wrong = ("lost", "visible_twice", "non_identical", "out_of_order", "wrong_state")
    assert [line[name] for name in wrong] == [0, 0, 0, 0, 0]
    assert sum(line["faults"].values()) == len(line["faults"]) == FAULTS
    assert line["events"] >= EVENTS
    assert line["counts"]["predictions"] > EVENTS / 4
    assert line["counts"]["outcomes_learned"] > 0


@pytest.fixture(scope="module")
def controls(broker: str) -> Iterator[Mapping[str, Future[Told]]]:
    """Side by side: they mostly wait, for workers to start and to be missed."""
    environment = plain_environment({"KAFKA_BOOTSTRAP_SERVERS": broker})
    with ThreadPoolExecutor(len(SEEN_AS)) as pool:
        yield {
            name: pool.submit(chaos, environment, CONTROL_SEED, "--control", name)
            for name in SEEN_AS
        }


@pytest.mark.parametrize("control", SEEN_AS)
def test_a_control_goes_red(controls: Mapping[str, Future[Told]], control: str) -> None:
    status, line, told = controls[control].result()

    assert status == 0, told[-4_000:]
    assert line["red"]
    assert line["failures"] == [], "red for another reason"
    assert line[SEEN_AS[control]] > 0


def test_an_interrupted_run_leaves_no_process_behind(broker: str, tmp_path: Path) -> None:
    environment = plain_environment({"KAFKA_BOOTSTRAP_SERVERS": broker})
    told = tmp_path / "told"
    with told.open("wb") as stderr:
        run = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos", "--seed", "1"], env=environment, stderr=stderr
        )
    workers: list[int] = []

    def all_work() -> bool:
        workers[:] = processes.children(run.pid)
        return len(workers) == SCORERS + LEARNERS

    try:
        # Before, a library that is being imported may ask `file` something: no worker yet.
        until(lambda: b"broker at" in told.read_bytes(), 120, "all is imported")
        until(all_work, 120, "its workers run")
        run.send_signal(signal.SIGINT)

        assert run.wait(60) == 130
        assert not [pid for pid in workers if _lives(pid)]
    finally:
        run.kill()
        run.wait()
        for pid in filter(_lives, workers):
            os.kill(pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
