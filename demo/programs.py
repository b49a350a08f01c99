"""Starts the programs as a user would, keeps their output in files, and stops them all.

Every program is the leader of its own session: a Ctrl-C at the terminal reaches
the demo alone, which stops them in reverse order. What does not stop in time is
killed with all its descendants; if the demo itself is killed, the kernel sends
each program SIGTERM (Linux only).
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

STOP_WITHIN_S = 20.0
POLL_S = 0.1
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


class Program(NamedTuple):
    name: str
    process: subprocess.Popen[bytes]
    log: Path  # stderr
    output: Path  # stdout

    def printed(self) -> str:
        """All that it wrote to stdout so far."""
        return self.output.read_text(encoding="utf-8")


class ProgramFailed(Exception):
    """A program ended that should not have, with another status than 0, or took too long."""

    def __init__(self, program: Program, what: str) -> None:
        super().__init__(f"{program.name} {what}")
        self.program = program


class Programs:
    """All programs of one run of the demo."""

    def __init__(
        self, logs: Path, environment: Mapping[str, str], go_on: Callable[[], None]
    ) -> None:
        """`go_on` is asked while we wait, and raises when it is time to stop."""
        self._logs = logs
        self._environment = dict(environment)
        self._go_on = go_on
        self._running: list[Program] = []
        logs.mkdir(parents=True, exist_ok=True)

    def set_environment(self, changes: Mapping[str, str]) -> None:
        """Tell it to all programs that are started from now on."""
        self._environment |= changes

    def start(self, name: str, *arguments: str, python: str = sys.executable) -> Program:
        """Start `python -m <arguments>`: stdout goes to `<name>.out`, stderr to `<name>.log`."""
        log, output = self._logs / f"{name}.log", self._logs / f"{name}.out"
        with log.open("wb") as errors, output.open("wb") as printed:
            process = subprocess.Popen(
                [python, "-m", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=errors,
                env=self._environment,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        program = Program(name, process, log, output)
        self._running.append(program)
        return program

    def run(self, name: str, *arguments: str) -> str:
        """Run a program to its end and give what it printed.

        Raises
        ------
        ProgramFailed : it, or another program, ended with a fault
        """
        return self.finish(self.start(name, *arguments))

    def finish(self, program: Program, each: Callable[[], None] = lambda: None) -> str:
        """Wait for a program's end and give what it printed; `each` is called meanwhile.

        Raises
        ------
        ProgramFailed : it, or another program, ended with a fault
        """
        while program.process.poll() is None:
            self.check(but=program)
            each()
            time.sleep(POLL_S)
        self._running.remove(program)
        status = program.process.returncode
        if status:
            raise ProgramFailed(program, f"ended with status {status}")
        return program.printed()

    def check(self, but: Program | None = None) -> None:
        """See that all are still running, and that nobody asked to stop.

        Raises
        ------
        ProgramFailed : one has ended
        """
        self._go_on()
        for program in self._running:
            status = program.process.poll()
            if status is not None and program is not but:
                self._running.remove(program)
                raise ProgramFailed(program, f"ended with status {status}")

    def await_(
        self,
        condition: Callable[[], bool],
        within_s: float,
        program: Program,
        task: str,
        progress: Callable[[], object] = lambda: None,
    ) -> None:
        """Wait until `condition()`; when it does not come true, `program` has not done its task.

        The time counts anew whenever `progress()` gives something else than before: a
        busy machine is slow, but only a stuck program does not move at all.

        Raises
        ------
        ProgramFailed : no progress for so long, or a program ended
        """
        before, since_s = progress(), time.monotonic()
        while not condition():
            self.check()
            now = progress()
            if now != before:
                before, since_s = now, time.monotonic()
            elif time.monotonic() - since_s > within_s:
                raise ProgramFailed(program, f"did not {task} within {within_s:g} s")
            time.sleep(POLL_S)

    def stop(self, program: Program) -> None:
        """End one program in order, by force when it takes too long."""
        self._stop([program])

    def stop_all(self) -> None:
        """End all programs: the first one, which the others talk to, after them."""
        self._stop(self._running[1:])
        self._stop(self._running[:1])

    def _stop(self, programs: Sequence[Program]) -> None:
        """Ask all at once, then wait: each takes its seconds, but they take them together."""
        for program in programs:
            if program.process.poll() is None:
                program.process.terminate()
        deadline_s = time.monotonic() + STOP_WITHIN_S
        for program in programs:
            try:
                program.process.wait(max(0.0, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill_tree(program.process)
            self._running.remove(program)


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    for pid in [process.pid, *descendants(process.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def descendants(pid: int) -> list[int]:
    """Children and theirs, also those in sessions of their own (Linux; elsewhere none)."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                found += [child, *descendants(child)]
    return found


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
