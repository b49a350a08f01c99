"""What `var/bench/results.json` holds, and how the parts of a bench come together in it.

Not here: how anything is measured, and the table in the docs (page.py).
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

FILE = Path("var", "bench", "results.json")


class Latency(Struct, frozen=True):
    """From log-append to visible for a `read_committed` consumer."""

    p50: float
    p99: float
    p90: float = 0.0
    max: float = 0.0
    note: str = ""  # in words: the worker did not keep up


class Run(Struct, frozen=True):
    """One contestant in one round."""

    events: int  # applied and committed while it was watched
    took_s: float
    cpu_s: float  # of all its processes and threads, in that time
    memory_mb: float  # resident, the most that was seen
    broker_cpu_s: float = 0.0  # of our own broker in that time, whatever it was busy with


Round = Mapping[str, Run]  # by name


class Results(Struct):
    """Each command of the bench fills its own part and leaves the others."""

    made: str = ""  # when the rates were measured, ISO 8601
    machine: dict[str, str | int] = {}
    versions: dict[str, str] = {}
    options: dict[str, str | int | float] = {}
    rounds: list[dict[str, Run]] = []
    failures: dict[str, str] = {}  # name -> what went wrong, in words
    rates: dict[str, float] = {}  # name -> median events a second
    ratios: dict[str, float] = {}  # "a/b" -> median of the ratios of each round
    latency_ms: dict[str, Latency] = {}  # events a second offered -> from append to visible
    stages: dict[str, dict[str, float]] = {}  # the same load -> where the time went, on average
    cpu_us_per_event: dict[str, float] = {}
    memory_mb: dict[str, float] = {}
    changes: dict[str, float] = {}  # while a steady load comes: name with its unit -> figure
    offline: dict[str, float] = {}  # name with its unit -> figure
    growth: dict[str, float] = {}  # workers on this machine -> events a second in all
    variants: dict[str, dict[str, float]] = {}  # a load of another kind -> rates
    regions_us: dict[str, float] = {}  # regions -> processor time of the pure step, for each event
    along_us: list[float] = []  # the same, piece by piece of the stream
    capacity: dict[str, float] = {}  # what is asked for, the costs, what that comes to
    breaks: dict[str, float] = {}  # what gives way -> at how many events a second


def load(file: Path = FILE) -> Results:
    """What was measured so far; nothing when there is no file.

    Raises
    ------
    msgspec.DecodeError : the file is not one of this version
    """
    return msgspec.json.decode(file.read_bytes(), type=Results) if file.exists() else Results()


def save(results: Results, file: Path = FILE) -> None:
    """Write the file anew; whoever reads it sees the old or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    made = file.with_suffix(".new")
    made.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
    made.replace(file)
