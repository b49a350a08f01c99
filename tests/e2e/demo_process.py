"""The demo, or its story, as a process that a test starts, watches and stops."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration import brokers

ROOT = Path(__file__).resolve().parents[2]
RUN_WITHIN_S = 600.0  # a minute on two idle cores


def command(out: Path, *options: str, module: str = "demo") -> list[str]:
    return [sys.executable, "-m", module, "--quick", "--out", str(out), *options]


def run(
    out: Path, *options: str, bootstrap: str | None = None, module: str = "demo"
) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        command(out, *options, module=module),
        cwd=ROOT,
        env=_environment(bootstrap),
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_WITHIN_S,
    )


@contextmanager
def started(out: Path, bootstrap: str | None = None) -> Iterator[subprocess.Popen[str]]:
    """Start it; whatever the test does, the process is gone afterwards."""
    process = subprocess.Popen(
        command(out),
        cwd=ROOT,
        env=_environment(bootstrap),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def programs_of(out: Path) -> list[str]:
    """Command lines of the programs that the demo in `out` started and that still run."""
    ours = f"HOUSING_CONFIG={out / 'housing.toml'}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if ours in (folder / "environ").read_bytes().split(b"\0"):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                found.append(b" ".join(words).decode())
        except OSError:  # it ended while we looked
            continue
    return [line for line in found if line]  # an empty one has ended and waits to be reaped


def _environment(bootstrap: str | None) -> dict[str, str]:
    named = {} if bootstrap is None else {"KAFKA_BOOTSTRAP_SERVERS": bootstrap}
    return brokers.plain_environment({**named, "PYTHONPATH": os.environ.get("PYTHONPATH", "")})
