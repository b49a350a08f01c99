"""What `make test` runs: lint, format, types, imports, tests without a broker, tests with one.

Each step is shown with its time; the first that fails ends the run with its exit status and the
command that repeats it alone. The last line is pytest's own.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LIMIT_S = 20 * 60  # what CI grants

# Whoever needs a broker, kills processes or takes long comes last, and does not count for
# coverage: the pure layers must be covered by tests of the pure layers.
NEEDS_THE_WORLD = "broker or chaos or slow"


class Step(NamedTuple):
    name: str
    command: tuple[str, ...]


class Ran(NamedTuple):
    step: Step
    status: int
    took_s: float
    last_line: str


STATIC = (
    Step("lint", ("ruff", "check")),
    Step("format", ("ruff", "format", "--check")),
    Step("types", ("mypy",)),
    Step("imports", ("lint-imports", "--no-cache")),
)
TESTS = (
    Step(
        "tests, no broker",
        ("coverage", "run", "-m", "pytest", "-m", f"not ({NEEDS_THE_WORLD})"),
    ),
    Step("coverage of the pure layers", ("coverage", "report", "--fail-under=100")),
    Step("tests, real broker", ("pytest", "-m", NEEDS_THE_WORLD)),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.check", description=__doc__)
    parser.add_argument(
        "--static", action="store_true", help="lint, format, types and imports only"
    )
    options = parser.parse_args(arguments)
    try:
        return run(STATIC if options.static else STATIC + TESTS)
    except KeyboardInterrupt:
        print("\ncheck: stopped", file=sys.stderr)
        return 130


def run(steps: Sequence[Step]) -> int:
    """Run the steps until one fails; return its exit status, else 0."""
    done: list[Ran] = []
    for step in steps:
        print(f"\n== {step.name}: {' '.join(step.command)}", flush=True)
        done.append(_ran(step))
        if done[-1].status != 0:
            break
    _report(done)
    return done[-1].status


def _ran(step: Step) -> Ran:
    """Run one step, showing what it says as it says it."""
    started_s = time.monotonic()
    command, *rest = step.command
    with subprocess.Popen(
        (str(BIN / command), *rest),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"},
    ) as process:
        assert process.stdout is not None
        tail = b""
        while chunk := os.read(process.stdout.fileno(), 65_536):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            tail = (tail + chunk)[-4_096:]
    lines = tail.decode("utf-8", "replace").rstrip().splitlines()
    took_s = time.monotonic() - started_s
    return Ran(step, process.returncode, took_s, lines[-1] if lines else "")


def _report(done: Sequence[Ran]) -> None:
    total_s = sum(ran.took_s for ran in done)
    print("\n== summary")
    for ran in done:
        verdict = "ok" if ran.status == 0 else f"FAILED, exit status {ran.status}"
        print(f"{ran.took_s:7.1f} s  {ran.step.name}: {verdict}")
    print(f"{total_s:7.1f} s  in all, {LIMIT_S} s are granted", flush=True)
    last = done[-1]
    if last.status != 0:
        alone = shlex.join(
            (os.path.relpath(BIN / last.step.command[0], ROOT), *last.step.command[1:])
        )
        print(f"check: {last.step.name} failed; alone: {alone}")
    for ran in done:
        if "pytest" in ran.step.command:
            print(ran.last_line)


if __name__ == "__main__":
    sys.exit(main())
