"""What Linux says of a process."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """Process ids of the direct children."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [int(child) for child in listed.split()]


def is_stopped(pid: int) -> bool:
    """Whether SIGSTOP has taken effect."""
    # "pid (name) state ...": a name may hold blanks and brackets.
    stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    return stat.rpartition(")")[2].split()[0] == "T"
