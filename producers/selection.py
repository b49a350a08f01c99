"""Which part of which history: what `convert` and `replay` have in common."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

from producers.sources import Tally, read
from stream_app.contract.events import AnyEvent


class Selection(Struct, frozen=True, kw_only=True):
    """Events of `source` with `from_ms` <= event time < `to_ms`, at most `limit`."""

    source: str
    paths: tuple[Path, ...]
    seed: int
    from_ms: int | None = None
    to_ms: int | None = None
    limit: int | None = None

    def events(self, tally: Tally) -> Iterator[AnyEvent]:
        """The chosen events in event-time order."""
        chosen = (
            event
            for event in read(self.source, self.paths, self.seed, tally)
            if (self.from_ms is None or self.from_ms <= event.event_time_ms)
            and (self.to_ms is None or event.event_time_ms < self.to_ms)
        )
        return islice(chosen, self.limit)
