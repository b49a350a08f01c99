"""A child process that cannot outlive its parent, however that ends."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def start(
    command: Sequence[str],
    output: IO[bytes] | None = None,
    pass_fds: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own: a Ctrl-C comes to the parent, who stops it in order.

    When the parent is killed, the kernel sends the child SIGTERM (Linux only). Call
    this where no other thread runs: code runs between fork and exec.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        pass_fds=pass_fds,
        env=environment,
        cwd=folder,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
    )


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
