"""Which part of which history, with what planted: what `convert` and `replay` have in common."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from producers import scenario
from producers.planting import Truth, planted
from producers.post import Post
from producers.sources import Tally, read
from stream_app.contract.events import AnyEvent


class Sent(NamedTuple):
    """What is sent in its order, and the truth about what was planted."""

    events: Iterable[AnyEvent | Post]
    truths: list[Truth]


class Selection(Struct, frozen=True, kw_only=True):
    """Events of `source` with `from_ms` <= event time < `to_ms`, at most `limit`."""

    source: str
    paths: tuple[Path, ...]
    seed: int
    from_ms: int | None = None
    to_ms: int | None = None
    limit: int | None = None
    scenario: Path | None = None

    def sent(self, tally: Tally) -> Sent:
        """The chosen events, as publishers send them in the scenario.

        Raises
        ------
        BadScenario : its file cannot be used
        """
        if self.scenario is None:
            return Sent(self.events(tally), [])
        return Sent(*planted(self.events(tally), scenario.read(self.scenario), self.seed))

    def events(self, tally: Tally) -> Iterator[AnyEvent]:
        """The chosen events in event-time order."""
        chosen = (
            event
            for event in read(self.source, self.paths, self.seed, tally)
            if (self.from_ms is None or self.from_ms <= event.event_time_ms)
            and (self.to_ms is None or event.event_time_ms < self.to_ms)
        )
        return islice(chosen, self.limit)
