"""Opens champions in a child process first: what a file does there, it does to nobody here.

The child limits itself before it imports anything large: memory, CPU time, and an alarm
in case its parent is gone. It opens one model after the other and says a line to each.
A model that the child dies or stops of has no line: it is refused with what became of the
child, and the models after it are given to another one.
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from stream_app.contract import wire
from stream_app.contract.models import ChampionAnnounced
from stream_app.contract.rejects import ModelRefused
from stream_app.contract.topics import MB

COMMAND = (sys.executable, "-m", "stream_app.shell.model_check")
# One thread each: a team of them costs memory, and its members wait for each other.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_ORPHAN_S = 5


class Limits(NamedTuple):
    """What a child may use up."""

    # scikit-learn and skops take 230 MB before the first model is opened, which takes 10.
    memory_mb: int = 512
    cpu_s: int = 30  # 2 for the imports, well below 1 for a model
    within_s: float = 60.0  # half a core, and others on it


LIMITS = Limits()


def failures(
    announced: Sequence[ChampionAnnounced],
    store: Path,
    trusted_key: bytes,
    limits: Limits = LIMITS,
    command: Sequence[str] = COMMAND,
) -> list[str | None]:
    """Say for each model what speaks against it; None: it may be opened here.

    `store`: folder of the bundles, which `announced` name by their bare file names.
    """
    told: list[str | None] = []
    arguments = [str(store), trusted_key.hex(), *(str(limit) for limit in limits)]
    while len(told) < len(announced):
        told += _told([*command, *arguments], announced[len(told) :], limits)
    return told


def _told(
    command: Sequence[str], announced: Sequence[ChampionAnnounced], limits: Limits
) -> list[str | None]:
    """What one child comes to: of one model at least."""
    asked = b"".join(wire.encode(one) + b"\n" for one in announced)
    environment = os.environ | _ONE_THREAD
    try:
        ended = subprocess.run(
            command,
            input=asked,
            capture_output=True,
            check=False,
            timeout=limits.within_s,
            env=environment,
        )
        lines, end = ended.stdout, _ending(ended, limits)
    except subprocess.TimeoutExpired as late:
        lines, end = late.stdout or b"", f"not opened within {limits.within_s:g} s"
    told = _read(lines)[: len(announced)]
    return told if len(told) == len(announced) else [*told, end]


def _read(lines: bytes) -> list[str | None]:
    """What a child said, up to where it was cut off or said something else."""
    told: list[str | None] = []
    for line in lines.splitlines():
        try:
            told.append(msgspec.json.decode(line, type=str | None))
        except (msgspec.DecodeError, UnicodeDecodeError):
            break
    return told


def _ending(ended: subprocess.CompletedProcess[bytes], limits: Limits) -> str:
    if ended.returncode == -signal.SIGXCPU:
        return f"not opened within {limits.cpu_s} s of CPU time"
    if ended.returncode < 0:
        return f"the process that opened it died of {signal.Signals(-ended.returncode).name}"
    last = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return f"the process that opened it ended with {ended.returncode}: {last}"


def read_bundle(store: Path, announced: ChampionAnnounced) -> bytes:
    """The file that an announcement names.

    Raises
    ------
    ModelRefused : there is none, or it is not named by a bare file name
    """
    if Path(announced.address).name != announced.address:
        raise ModelRefused(f"address {announced.address!r} is not a bare file name")
    path = store / announced.address
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelRefused(f"{path} (HOUSING_STREAM_MODEL_STORE): {error}") from error


def main(arguments: Sequence[str]) -> None:
    """Be the child: an announcement per line of standard input, a line of output to each."""
    store, trusted_key = Path(arguments[0]), bytes.fromhex(arguments[1])
    limits = Limits(int(arguments[2]), int(arguments[3]), float(arguments[4]))
    _limit(limits)
    from stream_app.scoring import champion

    for line in sys.stdin.buffer:
        announced = wire.decode_model_message(line)
        assert isinstance(announced, ChampionAnnounced)  # noqa: S101 - written by _told
        failure = None
        try:
            champion.load(read_bundle(store, announced), announced, trusted_key)
        except ModelRefused as error:
            failure = str(error)
        except MemoryError:
            failure = f"needs more than {limits.memory_mb} MB to be opened"
        print(msgspec.json.encode(failure).decode(), flush=True)


def _limit(limits: Limits) -> None:
    memory = limits.memory_mb * MB
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(int(limits.within_s) + _ORPHAN_S)
    if sys.platform == "linux":  # where memory is short, this process goes before its parent
        with contextlib.suppress(OSError):  # not every host lets it be written
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1:])
