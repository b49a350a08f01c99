"""What `make test` runs: lint, format, types, imports; then all tests, with a broker and without.

What can run side by side does, in lanes: within one, the first step that fails is the last. What
a step says is shown whole when it ends, what failed at the very end, with its exit status and the
command that repeats it alone. The last line has the totals of all tests, in pytest's words.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LIMIT_S = 20 * 60
_TOTALS = re.compile(r" in \d+\.\d+s\b")
# Not what a run left to another one: "deselected".
_COUNT = re.compile(r"(\d+) (failed|passed|skipped|errors?|xfailed|xpassed|warnings?)\b")


class Step(NamedTuple):
    name: str
    command: tuple[str, ...]


class Ran(NamedTuple):
    step: Step
    status: int
    took_s: float
    said: str


Lane = Sequence[Step]

STATIC: Sequence[Lane] = (
    (
        Step("lint", ("ruff", "check")),
        Step("format", ("ruff", "format", "--check")),
        Step("imports", ("lint-imports", "--no-cache")),
    ),
    (Step("types", ("mypy",)),),
)
# The tests, parted by their marks, and those without a broker once more by folder, so that lanes
# end together. The pure layers must be covered by tests of their own: laws and other programs'
# tests are quicker uncounted.
PARTS = NO_BROKER, BROKER, SLOW, FAULTS = (
    "not (broker or slow or chaos)",
    "broker and not (slow or chaos)",
    "slow and not chaos",
    "chaos",
)
OF_THE_STREAM_APP = ("tests/unit/stream_app", "stream_app")
OF_MONITORING = ("tests/unit/monitoring", "monitoring")
ELSEWHERE = (
    "--ignore=tests/unit/stream_app",
    "--ignore-glob=stream_app/*",
    "--ignore=tests/unit/monitoring",
    "--ignore-glob=monitoring/*",
)
WITH_BROKER = ("tests/integration", "tests/e2e")  # to collect all others takes ten seconds
# Three lanes on two cores: whoever needs a broker waits half of the time, for programs to start,
# for deaths to be noticed. Each lane has a broker of its own.
TESTS: Sequence[Lane] = (
    (Step("tests of faults", ("pytest", "-m", FAULTS, *WITH_BROKER)),),
    (
        Step(
            "tests of the stream app, no broker",
            ("coverage", "run", "-m", "pytest", "-m", NO_BROKER, *OF_THE_STREAM_APP),
        ),
        Step("coverage of the pure layers", ("coverage", "report", "--fail-under=100")),
        Step("tests of monitoring, no broker", ("pytest", "-m", NO_BROKER, *OF_MONITORING)),
        Step("tests with a broker", ("pytest", "-m", BROKER, *WITH_BROKER)),
    ),
    (
        Step("other tests, no broker", ("pytest", "-m", NO_BROKER, *ELSEWHERE)),
        Step("slow tests with a broker", ("pytest", "-m", SLOW, *WITH_BROKER)),
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.check", description=__doc__)
    parser.add_argument(
        "--static", action="store_true", help="lint, format, types and imports only"
    )
    options = parser.parse_args(arguments)
    try:
        return run([STATIC] if options.static else [STATIC, TESTS])
    except KeyboardInterrupt:
        print("\ncheck: stopped", file=sys.stderr)
        return 130


def run(groups: Sequence[Sequence[Lane]]) -> int:
    """Run group after group until a step fails; return the first failure's exit status, else 0."""
    started_s = time.monotonic()
    done: list[Ran] = []
    for lanes in groups:
        done += _side_by_side(lanes)
        if any(ran.status != 0 for ran in done):
            break
    _report(done, time.monotonic() - started_s)
    return next((ran.status for ran in done if ran.status != 0), 0)


def _side_by_side(lanes: Sequence[Lane]) -> list[Ran]:
    """Run each lane to its end, or to its first failure."""
    stopped = threading.Event()
    with ThreadPoolExecutor(len(lanes)) as pool:
        running = [pool.submit(_in_order, lane, stopped) for lane in lanes]
        try:
            return [ran for lane in running for ran in lane.result()]
        except KeyboardInterrupt:  # the steps hear it, too, and end by themselves
            stopped.set()
            raise


def _in_order(lane: Lane, stopped: threading.Event) -> list[Ran]:
    done: list[Ran] = []
    for step in lane:
        if stopped.is_set():
            break
        done.append(_ran(step))
        if done[-1].status != 0:
            break
    return done


def _ran(step: Step) -> Ran:
    """Run one step; show what it said, unless it failed: that is kept for the end."""
    print(f"== {step.name}: {' '.join(step.command)}", flush=True)
    started_s = time.monotonic()
    command, *rest = step.command
    ended = subprocess.run(
        (str(BIN / command), *rest),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"},
        check=False,
    )
    took_s = time.monotonic() - started_s
    ran = Ran(step, ended.returncode, took_s, ended.stdout.decode("utf-8", "replace"))
    print(f"{'' if ran.status else ran.said}== {_verdict(ran)}, {took_s:.1f} s", flush=True)
    return ran


def _verdict(ran: Ran) -> str:
    how = "ok" if ran.status == 0 else f"FAILED, exit status {ran.status}"
    return f"{ran.step.name}: {how}"


def _report(done: Sequence[Ran], total_s: float) -> None:
    failed = [ran for ran in done if ran.status != 0]
    for ran in failed:
        print(f"\n== what failed: {ran.step.name}\n{ran.said}")
    print("\n== summary")
    for ran in done:
        print(f"{ran.took_s:7.1f} s  {_verdict(ran)}")
    print(f"{total_s:7.1f} s  in all; CI grants {LIMIT_S} s, .venv included")
    for ran in failed:
        print(f"check: {ran.step.name} failed; alone: {_alone(ran.step)}")
    tested = [ran.said for ran in done if "pytest" in ran.step.command]
    if tested:
        print(totals(tested, total_s), flush=True)


def _alone(step: Step) -> str:
    command, *rest = step.command
    return shlex.join((os.path.relpath(BIN / command, ROOT), *rest))


def totals(said: Sequence[str], took_s: float) -> str:
    """Add up what the pytest runs say at their ends.

    >>> totals(["== 1 failed, 7 passed in 2.00s ==", "== 3 passed, 8 deselected in 1.00s =="], 2.5)
    '===== 1 failed, 10 passed in 2.50s ====='
    """
    counted: Counter[str] = Counter()
    for text in said:
        own = [line for line in text.splitlines() if _TOTALS.search(line)]
        for number, what in _COUNT.findall(own[-1] if own else ""):
            counted[what] += int(number)
    told = ", ".join(f"{number} {what}" for what, number in counted.items())
    return f"===== {told or 'no tests ran'} in {took_s:.2f}s ====="


if __name__ == "__main__":
    sys.exit(main())
