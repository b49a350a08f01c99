"""On what a bench ran: no figure means anything without it."""

import os
import platform
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = (
    "faust-streaming",
    "aiokafka",
    "confluent-kafka",
    "scikit-learn",
    "river",
    "numpy",
    "msgspec",
    "uvloop",
)


def machine() -> dict[str, str | int]:
    """Processor, cores, memory, system."""
    return {
        "cpu": _cpu(),
        "cores": len(cores()),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
    }


def versions(quix: str) -> dict[str, str]:
    """Python and the libraries that decide about speed."""
    named = {name: version(name) for name in _LIBRARIES}
    return {"python": platform.python_version(), **named, "quixstreams": quix}


def cores() -> tuple[int, ...]:
    """The cores that this process may use; all where the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def pin(pid: int, to: Collection[int]) -> None:
    """Keep a process that was just started, and all it will start, on these cores (Linux)."""
    if to and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, to)


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8", "replace").splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
