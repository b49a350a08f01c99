"""One report in a process of its own, within memory and time.

However it ends, the caller goes on, and the run is in the index: what was ended before it had
measured is filed as a finding, so that nobody takes silence for health.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from monitoring import runs, windows
from monitoring.asked import Asked
from monitoring.settings import MonitoringSettings

LIMITED = (sys.executable, "-m", "stream_app.limited")
INTERRUPTED = 130


class Ended(NamedTuple):
    reason: str  # empty: it has measured
    seconds: float


def report(asked: Asked, settings: MonitoringSettings) -> Ended:
    """Make a report; file it as failed when it was ended."""
    return run(command(asked), asked, settings)


def command(asked: Asked) -> list[str]:
    """The command line of a report."""
    told = ["--market", asked.market, "--dir", str(asked.archive), "--out", str(asked.out)]
    told += [word for kind in asked.kinds for word in ("--kind", kind)]
    named = zip(("--reference", "--current"), asked.windows, strict=True)
    told += [word for name, w in named if w is not None for word in (name, windows.words(w))]
    return [sys.executable, "-m", "monitoring", "report", *told, "--job", asked.job]


def run(told: Sequence[str], asked: Asked, settings: MonitoringSettings) -> Ended:
    """Run a command that makes the report that was asked for."""
    made, begun_s = datetime.now(UTC), time.monotonic()
    reason = _reason(told, settings.report_memory_mb, settings.report_within_s)
    ended = Ended(reason, time.monotonic() - begun_s)
    if ended.reason:
        runs.failed(asked, made, *ended)
    return ended


def _reason(told: Sequence[str], memory_mb: int, within_s: float) -> str:
    try:
        ended = subprocess.run(
            [*LIMITED, str(memory_mb), *told],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=within_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"ended after {within_s:g} s (setting report_within_s)"
    if ended.returncode == INTERRUPTED:  # a Ctrl-C that came to both of us
        raise KeyboardInterrupt
    if ended.returncode == 0:
        return ""
    said = ended.stderr.decode(errors="replace").strip().splitlines()
    how = f"signal {-ended.returncode}" if ended.returncode < 0 else f"status {ended.returncode}"
    limit = f"{memory_mb:,} MB of memory were allowed (setting report_memory_mb)"
    return f"ended with {how}: {said[-1] if said else 'it said nothing'}; {limit}"
