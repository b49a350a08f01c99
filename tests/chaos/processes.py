"""What Linux says of a process."""

import contextlib
from pathlib import Path


def children(pid: int) -> list[int]:
    """Process ids of the direct children, whichever thread started them."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            found += map(int, (thread / "children").read_text("ascii").split())
    return found


def is_stopped(pid: int) -> bool:
    """Whether SIGSTOP has taken effect."""
    # "pid (name) state ...": a name may hold blanks and brackets.
    stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    return stat.rpartition(")")[2].split()[0] == "T"
