"""What a program and its children have used so far: processor time and memory (Linux)."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from demo.programs import descendants

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
# Fields of /proc/PID/stat after the name, which may hold blanks: see proc(5).
_USER, _KERNEL, _RESIDENT = 11, 12, 21


class Usage(NamedTuple):
    cpu_s: float
    memory_mb: float


def usage(pid: int) -> Usage:
    """Of a process and its descendants, all threads; nothing where /proc is not to be had."""
    used = list(_each(pid))
    return Usage(sum(one.cpu_s for one in used), sum(one.memory_mb for one in used))


def _each(pid: int) -> Iterator[Usage]:
    for each in (pid, *descendants(pid)):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            yield read_stat(Path(f"/proc/{each}/stat").read_text("utf-8", "replace"))


def read_stat(text: str) -> Usage:
    """Read a line of /proc/PID/stat."""
    fields = text.rpartition(")")[2].split()
    ticks = int(fields[_USER]) + int(fields[_KERNEL])
    return Usage(ticks / _TICKS_PER_S, int(fields[_RESIDENT]) * _PAGE_MB)
