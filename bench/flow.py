"""A worker of ours with a history behind it, a publisher before it and a reader after it."""

import math
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

from bench import contestants, load, pages
from bench.champion import Models
from bench.contestants import OURS
from bench.ground import Ground, make_topics
from bench.pacing import Pacer
from bench.reader import Visible, reading
from demo.programs import Program
from stream_app.contract.topics import EVENTS, MODELS, PREDICTIONS, full_name

HISTORY = 8_000  # events before the clock starts: regions and ledger are not empty
_TELLINGS = 8  # of the market, up to 2022: some 300,000 events, none of them from the future
_STANDS_S = 120.0  # so long without any progress, and a worker has failed


class Flow(NamedTuple):
    """All parts of it, while they run."""

    on: Ground
    prefix: str
    worker: Program
    pacer: Pacer
    seen: list[Visible]
    events: Iterator[load.Message]  # that come next

    def send(self, seconds: float, rate: int) -> None:
        """Publish for so long."""
        self.pacer.send(list(islice(self.events, round(seconds * rate))), rate)

    def waiting(self) -> int:
        """Events that were sent and that the worker is not through with."""
        return HISTORY + self.pacer.sent - _applied(self.worker)

    def catch_up(self, within_s: float = math.inf) -> None:
        """Wait until none waits, or the time is over.

        Raises
        ------
        ProgramFailed : the worker ended, or stands still
        """
        until_s = time.monotonic() + within_s
        self.on.programs.await_(
            lambda: self.waiting() <= 0 or time.monotonic() > until_s,
            _STANDS_S,
            self.worker,
            "catch up",
            self.waiting,
        )


@contextmanager
def flowing(
    on: Ground, models: Models, *, with_champion: bool = True, in_bursts: bool = False
) -> Iterator[Flow]:
    """Start a worker on topics of its own and let it apply the history; stop it when nothing fails.

    Raises
    ------
    ProgramFailed : the worker ended, or stands still
    """
    prefix = f"bench-{secrets.token_hex(3)}"
    make_topics(on, prefix)
    if with_champion:
        load.publish(on.brokers, full_name(prefix, MODELS), models.messages)
    events, topic = load.told(load.real_events(), _TELLINGS), full_name(prefix, EVENTS)
    load.publish(on.brokers, topic, list(islice(events, HISTORY)))
    worker = contestants.start(OURS, on, models, prefix)
    flow = Flow(on, prefix, worker, Pacer(on.brokers, topic, in_bursts=in_bursts), [], events)
    flow.catch_up()
    # Only now: a reader of a topic that was just made has been seen to stay silent.
    with reading(on.brokers, full_name(prefix, PREDICTIONS), flow.seen):
        yield flow
    on.programs.stop(worker)


def _applied(worker: Program) -> int:
    return int(pages.counted(worker).get("housing_batch_records_sum", 0))
