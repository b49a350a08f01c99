"""Source files to canonical events as JSON lines: what the scorer would be sent, as a file."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from producers.post import Post, posted
from stream_app.contract.events import AnyEvent


def convert(events: Iterable[AnyEvent | Post], out: BinaryIO) -> dict[str, int]:
    """Write the events, one on a line, and tell how many of each kind."""
    kinds: Counter[str] = Counter()
    for post in map(posted, events):
        out.write(post.raw)
        out.write(b"\n")
        kinds[post.kind] += 1
    return dict(sorted(kinds.items()))


def convert_to_file(events: Iterable[AnyEvent | Post], path: Path) -> dict[str, int]:
    """The same into a file, which appears only when it is whole."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as out:
            kinds = convert(events, out)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return kinds
