"""Sales files of one source to events in the order in which they happened.

Listings lie up to half a year before their sales, and King County's file is not
sorted: so all files are read first, at about 1.5 kB of memory for each sale.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from producers.sources.rows import BadCell
from producers.sources.source import Offer, Source
from producers.sources.table import BadFile, BadRow, rows
from stream_app.contract.events import AnyEvent

KEPT_BAD_ROWS = 20  # enough to see what is wrong; the count is complete


@dataclass
class Tally:
    """What reading came to. With `strict`, the first row that cannot be read ends it."""

    strict: bool = False
    rows: int = 0
    repaired: Counter[str] = field(default_factory=Counter)  # by column
    bad_rows: int = 0
    first_bad_rows: list[BadRow] = field(default_factory=list)

    def count_bad(self, bad: BadRow) -> None:
        """Count a row that cannot be read."""
        if self.strict:
            raise BadFile(str(bad))
        self.bad_rows += 1
        if len(self.first_bad_rows) < KEPT_BAD_ROWS:
            self.first_bad_rows.append(bad)


def offers(
    source: Source, path: Path, seed: int
) -> Iterator[tuple[int, Offer, list[str]] | BadRow]:
    """Map a file row by row: line, what it says, and the columns that were repaired."""
    twins: Counter[str] = Counter()
    for found in rows(path, source.needed_columns):
        if isinstance(found, BadRow):
            yield found
            continue
        try:
            offer = source.read_row(found.row, seed, twins)
        except BadCell as error:
            yield BadRow(path.name, found.line, str(error))
        else:
            yield found.line, offer, found.row.repaired


def history(source: Source, paths: Sequence[Path], seed: int, tally: Tally) -> list[AnyEvent]:
    """All events of the files by event time, ties by event id, numbered in `sequence`.

    Raises
    ------
    BadFile : a file cannot be used, or `tally` is strict and a row cannot be read
    """
    events: list[AnyEvent] = []
    for path in paths:
        for found in offers(source, path, seed):
            if isinstance(found, BadRow):
                tally.count_bad(found)
                continue
            _, offer, repaired = found
            tally.rows += 1
            tally.repaired.update(repaired)
            events += offer
    events.sort(key=lambda event: (event.event_time_ms, event.event_id))
    for number, event in enumerate(events):  # in place: two copies of a long history are too many
        events[number] = replace(event, sequence=number)
    return events
