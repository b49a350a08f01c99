"""A program run to its end, as a user would start it: what it printed, and what it took.

One that takes too much is ended, so that no bench is without end.
"""

import time
from typing import NamedTuple

from bench.ground import Ground
from bench.measure import Failed
from bench.usage import Usage, usage

WITHIN_S, MEMORY_MAX_MB = 300.0, 8_000.0  # of one program; a small machine has no more


class Timed(NamedTuple):
    printed: str
    took_s: float  # its start included
    most: Usage  # the last processor time and the most memory that were seen


def timed(on: Ground, name: str, *arguments: str) -> Timed:
    """Run `python -m <arguments>`.

    Raises
    ------
    ProgramFailed : it ended with a fault
    Failed : it was ended, for it took too long or too much memory
    """
    began_s = time.monotonic()
    program = on.programs.start(name, *arguments)
    most = Usage(0.0, 0.0)

    def look() -> None:
        nonlocal most
        most = Usage(*map(max, most, usage(program.process.pid)))
        if words := too_much(time.monotonic() - began_s, most.memory_mb):
            on.programs.stop(program)
            raise Failed(f"{name} was ended: {words}")

    printed = on.programs.finish(program, each=look)
    return Timed(printed, time.monotonic() - began_s, most)


def too_much(took_s: float, memory_mb: float) -> str:
    """Which limit is passed, in words; nothing if none is.

    >>> too_much(took_s=20.0, memory_mb=9_500.0)
    'more than 8,000 MB'
    """
    if took_s > WITHIN_S:
        return f"more than {WITHIN_S:g} s"
    return f"more than {MEMORY_MAX_MB:,.0f} MB" if memory_mb > MEMORY_MAX_MB else ""
