"""Source files to canonical events as JSON lines: what the scorer would be sent, as a file."""

from collections import Counter
from pathlib import Path
from typing import BinaryIO

from producers.selection import Selection
from producers.sources import Tally
from stream_app.contract import wire
from stream_app.contract.events import kind_of


def convert(selection: Selection, tally: Tally, out: BinaryIO) -> dict[str, int]:
    """Write the events, one on a line, and tell how many of each kind."""
    kinds: Counter[str] = Counter()
    for event in selection.events(tally):
        out.write(wire.encode(event))
        out.write(b"\n")
        kinds[kind_of(event)] += 1
    return dict(sorted(kinds.items()))


def convert_to_file(selection: Selection, tally: Tally, path: Path) -> dict[str, int]:
    """The same into a file, which appears only when it is whole."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as out:
            kinds = convert(selection, tally, out)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return kinds
