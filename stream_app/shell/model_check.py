"""Opens champions in a child process first: what a file does there, it does to nobody here.

The child limits itself before it imports anything large: memory, CPU time, and an alarm
in case it hangs or its parent is gone; time is allowed anew for each model. It opens one
model after the other and says a line to each. A model that the child dies or stops of has
no line: what became of the child is said of it, and the models after it are given to
another one.

Two kinds of failure: what the model did is so at every try. That its file is not there yet,
that the machine was too busy, or that somebody else ended the child may be otherwise a
moment later, and says nothing of the model.
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from stream_app.contract import wire
from stream_app.contract.models import ChampionAnnounced
from stream_app.contract.rejects import ModelNotOpened, ModelRefused, ModelUnavailable
from stream_app.contract.topics import MB

COMMAND = (sys.executable, "-m", "stream_app.shell.model_check")
# One thread each: a team of them costs memory, and its members wait for each other.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Whoever is ended by these was ended by others: a person, or the kernel when memory is short.
_BY_OTHERS = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


class Limits(NamedTuple):
    """What a child may use up; times are for one model, and at first for the imports."""

    # scikit-learn and skops take 230 MB before the first model is opened, which takes 10.
    memory_mb: int = 512
    cpu_s: int = 30  # 2 for the imports, well below 1 for a model
    within_s: float = 60.0  # half a core, and others on it


LIMITS = Limits()


class Finding(NamedTuple):
    """What speaks against one model."""

    failure: str | None = None  # None: it may be opened here
    passing: bool = False  # nothing is known of the model; another try may tell

    def error(self) -> ModelNotOpened:
        """What is to be raised of a failure."""
        kind = ModelUnavailable if self.passing else ModelRefused
        return kind(self.failure)


def findings(
    announced: Sequence[ChampionAnnounced],
    store: Path,
    trusted_key: bytes,
    limits: Limits = LIMITS,
    command: Sequence[str] = COMMAND,
) -> list[Finding]:
    """Say for each model what speaks against it.

    `store`: folder of the bundles, which `announced` name by their bare file names.
    """
    found: list[Finding] = []
    arguments = [str(store), trusted_key.hex(), *(str(limit) for limit in limits)]
    while len(found) < len(announced):
        found += _found([*command, *arguments], announced[len(found) :], limits)
    return found


def _found(
    command: Sequence[str], announced: Sequence[ChampionAnnounced], limits: Limits
) -> list[Finding]:
    """What one child comes to: of one model at least."""
    asked = b"".join(wire.encode(one) + b"\n" for one in announced)
    environment = os.environ | _ONE_THREAD
    # Its own alarm rings sooner, unless the child was stopped, or has done away with it.
    longest_s = limits.within_s * (len(announced) + 1)
    try:
        ended = subprocess.run(
            command,
            input=asked,
            capture_output=True,
            check=False,
            timeout=longest_s,
            env=environment,
        )
        lines, end = ended.stdout, _ending(ended, limits)
    except subprocess.TimeoutExpired as late:
        lines, end = late.stdout or b"", _too_slow(limits)
    except OSError as error:  # no memory, no process left
        lines, end = b"", Finding(f"no process could be started to open it: {error}", passing=True)
    found = _read(lines)[: len(announced)]
    return found if len(found) == len(announced) else [*found, end]


def _read(lines: bytes) -> list[Finding]:
    """What a child said, up to where it was cut off or said something else."""
    found: list[Finding] = []
    for line in lines.splitlines():
        try:
            found.append(msgspec.json.decode(line, type=Finding))
        except (msgspec.DecodeError, UnicodeDecodeError):
            break
    return found


def _ending(ended: subprocess.CompletedProcess[bytes], limits: Limits) -> Finding:
    if ended.returncode == -signal.SIGALRM:
        return _too_slow(limits)
    if ended.returncode == -signal.SIGXCPU:
        return Finding(f"not opened within {limits.cpu_s} s of CPU time")
    if ended.returncode < 0:
        died_of = signal.Signals(-ended.returncode)
        died = f"the process that opened it died of {died_of.name}"
        return Finding(died, passing=died_of in _BY_OTHERS)
    last = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return Finding(f"the process that opened it ended with {ended.returncode}: {last}")


def _too_slow(limits: Limits) -> Finding:
    return Finding(f"not opened within {limits.within_s:g} s", passing=True)


def read_bundle(store: Path, announced: ChampionAnnounced) -> bytes:
    """The file that an announcement names.

    Raises
    ------
    ModelRefused : it is not named by a bare file name
    ModelUnavailable : it is not there, or not whole yet
    """
    if Path(announced.address).name != announced.address:
        raise ModelRefused(f"address {announced.address!r} is not a bare file name")
    path = store / announced.address
    try:
        bundle = path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(f"{path} (HOUSING_STREAM_MODEL_STORE): {error}") from error
    whole = announced.manifest.bundle_bytes
    if len(bundle) < whole:
        raise ModelUnavailable(f"{path} has {len(bundle)} of {whole} bytes: half copied?")
    return bundle


def main(arguments: Sequence[str]) -> None:
    """Be the child: an announcement per line of standard input, a line of output to each."""
    store, trusted_key = Path(arguments[0]), bytes.fromhex(arguments[1])
    limits = Limits(int(arguments[2]), int(arguments[3]), float(arguments[4]))
    _limit(limits)
    _allow_time(limits)
    from stream_app.scoring import champion

    def load(announced: ChampionAnnounced) -> object:
        return champion.load(read_bundle(store, announced), announced, trusted_key)

    for line in sys.stdin.buffer:
        _allow_time(limits)
        announced = wire.decode_model_message(line)
        assert isinstance(announced, ChampionAnnounced)  # noqa: S101 - written by _found
        print(msgspec.json.encode(_tried(load, announced, limits)).decode(), flush=True)


def _tried(
    load: Callable[[ChampionAnnounced], object], announced: ChampionAnnounced, limits: Limits
) -> Finding:
    try:
        load(announced)
    except ModelNotOpened as error:
        return Finding(str(error), passing=isinstance(error, ModelUnavailable))
    except MemoryError:
        return Finding(f"needs more than {limits.memory_mb} MB to be opened")
    return Finding()


def _limit(limits: Limits) -> None:
    memory = limits.memory_mb * MB
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # where memory is short, this process goes before its parent
        with contextlib.suppress(OSError):  # not every host lets it be written
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _allow_time(limits: Limits) -> None:
    """Count from now on."""
    signal.setitimer(signal.ITIMER_REAL, limits.within_s)
    _, most_s = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + limits.cpu_s, most_s))


if __name__ == "__main__":
    main(sys.argv[1:])
