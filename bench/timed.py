"""A program run to its end, as a user would start it: what it printed, and what it took."""

import time
from typing import NamedTuple

from bench.ground import Ground
from bench.usage import Usage, usage


class Timed(NamedTuple):
    printed: str
    took_s: float  # its start included
    most: Usage  # the last processor time and the most memory that were seen


def timed(on: Ground, name: str, *arguments: str) -> Timed:
    """Run `python -m <arguments>`.

    Raises
    ------
    ProgramFailed : it ended with a fault
    """
    began_s = time.monotonic()
    program = on.programs.start(name, *arguments)
    most = Usage(0.0, 0.0)

    def look() -> None:
        nonlocal most
        most = Usage(*map(max, most, usage(program.process.pid)))

    printed = on.programs.finish(program, each=look)
    return Timed(printed, time.monotonic() - began_s, most)
