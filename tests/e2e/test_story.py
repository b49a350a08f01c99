"""The story in its short version, whole: the programs are the real ones.

Only the unit error: it takes a minute, and a shock that is retrained for takes six. What
follows from a shock is tested piece by piece (integration/test_watch.py, test_retraining_worker.py).
"""

import json
from pathlib import Path

import pytest

from tests.e2e import demo_process

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest.mark.timeout(600)
def test_a_publisher_that_switches_units_is_named_and_nothing_is_retrained(
    broker: str, tmp_path: Path
) -> None:
    options = "--variant", "unit-error", "--json"

    done = demo_process.run(tmp_path, *options, bootstrap=broker, module="demo.story")

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    told = json.loads((tmp_path / "summary.json").read_text())
    assert json.loads(done.stdout.splitlines()[-1]) == told
    assert told["named_publisher"] == "agency-b"
    assert told["decision"] == "call_person"
    assert (told["retrained"], told["promoted"], told["rolled_back"]) == (False, False, False)
    assert told["detected_after_events"] > told["detected_after_planted"] > 0
    assert told["mae_during"] > told["mae_before"] > 0
    assert told["false_alarms_before"] == 0
    assert (told["lost"], told["visible_twice"]) == (0, 0)
    assert demo_process.programs_of(tmp_path / "unit-error") == []


def test_wrong_input_is_answered_in_words(tmp_path: Path) -> None:
    done = demo_process.run(tmp_path, "--variant", "flood", module="demo.story")

    assert done.returncode == 2
    assert "invalid choice: 'flood'" in done.stderr
