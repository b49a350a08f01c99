"""`python -m stream_app.limited MEGABYTES COMMAND ...`: becomes the command, within limits.

The command cannot take more memory than that, and ends with whoever started it, however
that ends (Linux only). A program of its own, so that nothing is run between fork and exec
of a parent that has threads.
"""

import ctypes
import os
import resource
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def main() -> None:
    """Set the limits on this process, and become the command."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)  # it died before it could be said
    limit = int(sys.argv[1]) * 1_000_000
    # Not of addresses: libraries reserve many times what they use.
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the worker's own command


if __name__ == "__main__":
    main()
