"""Stands in for `python -m offline STEP` in tests of the worker: the same words, no work.

    step_of_a_test.py FOLDER STEP ID [kill]

The effect of a step is a line in `FOLDER/effects`, made once for a request, as a training is
found by the request's id. With `kill`, the first run kills the worker before the effect and
the second after it.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

RESULTS = {
    "preflight": {
        "market": "king-county",
        "champion": "v1",
        "labels": 500,
        "listed_from_ms": 0,
        "listed_to_ms": 1,
        "served_error_log": 0.11,
        "retrained_error_log": 0.10,
        "saving_log": 0.01,
        "saving_low_log": 0.005,
        "saving_high_log": 0.015,
        "day_blocks": 30,
    },
    "train": {"version": "v2", "held": None},
    "gate": {"passed": True, "reasons": ["nearer"]},
    "promote": {"champion": "v2"},
    "rollback": {"champion": "v1"},
}


def main() -> None:
    folder, step, name, *how = sys.argv[1:]
    runs = _append(Path(folder, f"runs-{name}-{step}"), "run")
    if "kill" in how and runs == 1:
        _kill_the_worker()
    effects = Path(folder, "effects")
    effect = f"{name} {step}"
    if effect not in effects.read_text().splitlines():
        _append(effects, effect)
    if "kill" in how and runs == 2:
        _kill_the_worker()
    if "wait" in how:
        signal.pause()
    print(json.dumps(RESULTS[step]))


def _append(path: Path, line: str) -> int:
    with path.open("a") as file:
        file.write(line + "\n")
    return len(path.read_text().splitlines())


def _kill_the_worker() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)  # the kernel ends this one with it


if __name__ == "__main__":
    main()
