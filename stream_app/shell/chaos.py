"""Named points between the steps of the runner, and faults to plant there.

A fault is text, so that it can be given to a worker that is another process:
`point:delay=SECONDS` waits there every time, `point:kill@N` ends the process
with SIGKILL the N-th time a partition of it comes by; several, by commas, in order.
Nothing is planted unless `HOUSING_STREAM_CHAOS` says so; when a fault comes, the log says
so first: whoever planted it must know that it came.
"""

import itertools
import logging
import os
import re
import signal
import time
from collections.abc import Callable
from enum import StrEnum, auto
from typing import NamedTuple

from stream_app.contract.settings import BadSettings

_log = logging.getLogger(__name__)


class Point(StrEnum):
    """In this order, once per partition and batch."""

    BEFORE_STEP = auto()
    BEFORE_OUTPUTS = auto()
    AFTER_OUTPUTS = auto()  # outputs handed over, state not yet
    BEFORE_COMMIT = auto()
    AFTER_COMMIT = auto()  # safe, but not yet in memory
    BEFORE_ACK = auto()


# What the runner calls at each point.
At = Callable[[Point], None]


def nothing(_point: Point) -> None:
    """No fault anywhere."""


class Fault(NamedTuple):
    point: Point
    delay_s: float | None  # None: kill
    nth: int | None  # None: every time


def read_faults(text: str) -> tuple[Fault, ...]:
    """Read what `HOUSING_STREAM_CHAOS` holds.

    >>> read_faults("before_commit:delay=0.5,after_commit:kill@3")[1]
    Fault(point=<Point.AFTER_COMMIT: 'after_commit'>, delay_s=None, nth=3)

    Raises
    ------
    BadSettings : not of this form, or no such point
    """
    return tuple(_fault(part.strip()) for part in text.split(",") if part.strip())


def _fault(text: str) -> Fault:
    parts = re.fullmatch(r"(\w+):(?:delay=(\d+(?:\.\d+)?)|kill)(?:@([1-9]\d*))?", text)
    if parts is None or parts[1] not in set(Point):
        raise BadSettings(
            f"HOUSING_STREAM_CHAOS: {text!r}: a point ({', '.join(Point)}), "
            f"then :delay=SECONDS or :kill, then @N or nothing"
        )
    delay_s = None if parts[2] is None else float(parts[2])
    return Fault(Point(parts[1]), delay_s, None if parts[3] is None else int(parts[3]))


def planted(faults: tuple[Fault, ...]) -> At:
    """Build the hook that lets `faults` happen."""
    passed = {point: itertools.count(1) for point in Point}  # next() is atomic: partitions share

    def at(point: Point) -> None:
        nth = next(passed[point])
        for fault in faults:
            if fault.point is point and fault.nth in (None, nth):
                _happen(fault)

    return at if faults else nothing


def _happen(fault: Fault) -> None:
    _log.warning("planted fault", extra={"point": fault.point, "delay_s": fault.delay_s})
    if fault.delay_s is None:
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        time.sleep(fault.delay_s)
