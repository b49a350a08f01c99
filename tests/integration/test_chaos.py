"""The chaos command, short: a run stays green, and each control goes red.

The size that is promised, and its line, stand in docs/promises.md.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import processes
from tests.chaos.controls import CONTROLS
from tests.integration.brokers import plain_environment
from tests.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.chaos]

FAULTS = 13  # each kind that does not need another one before it
EVENTS = 4_000
SEED = 4
# What must be seen of each planted bug.
SEEN_AS = {
    "state-outside-transaction": "visible_twice",
    "acknowledge-before-commit": "lost",
    "no-fencing": "visible_twice",
    "dedupe-off": "visible_twice",
}


def chaos(environment: Mapping[str, str], *options: str) -> tuple[int, dict[str, Any], str]:
    """Run it; give its status, its line, and what it told."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--seed", str(SEED), *options],
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
        plain_environment(), "--faults", str(FAULTS), "--events", str(EVENTS)
    )

    assert status == 0, told[-4_000:]
    wrong = ("lost", "visible_twice", "non_identical", "out_of_order", "wrong_state")
    assert [line[name] for name in wrong] == [0, 0, 0, 0, 0]
    assert sum(line["faults"].values()) == len(line["faults"]) == FAULTS
    assert line["events"] >= EVENTS
    assert line["counts"]["predictions"] > EVENTS / 4
    assert line["counts"]["outcomes_learned"] > 0


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_goes_red(broker: str, control: str) -> None:
    environment = plain_environment({"KAFKA_BOOTSTRAP_SERVERS": broker})

    status, line, told = chaos(environment, "--control", control)

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
    try:
        workers = until(lambda: processes.children(run.pid), 120, "its workers run")
        run.send_signal(signal.SIGINT)

        assert run.wait(60) == 130
    finally:
        run.kill()
        run.wait()
    assert not [pid for pid in workers if _lives(pid)]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
