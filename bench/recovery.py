"""How long a worker takes to be back: started anew after SIGKILL, with so many regions in its state."""

import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bench import contestants, load, measure, weights
from bench.champion import Models
from bench.contestants import OURS, has_opened
from bench.ground import Ground, make_topics
from bench.hand_loop import served
from bench.load import Message
from bench.usage import usage
from stream_app.contract.events import AnyEvent, Listing
from stream_app.contract.topics import EVENTS, MODELS, full_name

HOMES_OPEN, REGIONS_OPEN = 100_000, 1_000
EVENTS_SENT = 30_000  # half of them listings: 15,000 homes in the ledger, whatever the regions
_WITHIN_S, _FILLED_WITHIN_S = 120.0, 300.0


class Recovery(NamedTuple):
    state_mb: float  # of all partitions
    started_s: float  # from the start of the process until it reads on
    read_s: float  # of that, opening the partitions: fencing, and reading their state
    memory_mb: float
    filling_memory_mb: float  # the most while it filled its state


class _Line(Struct):
    """What is looked at of a line of a worker's log."""

    message: str = ""
    partitions: list[int] = []
    at: str = ""


def by_regions(regions: int) -> list[Message]:
    """Listings and sales in so many regions."""
    return list(load.told(load.real_events()[:EVENTS_SENT], 1, load.spread(regions)))


def open_listings(events: Sequence[AnyEvent], homes: int = HOMES_OPEN) -> list[Message]:
    """Homes of which none is sold: each listing of the events again and again at its time."""
    listed = [event for event in events if isinstance(event, Listing)]
    offered = [
        replace(event, listing_id=f"{event.listing_id}-{copy}", event_id=f"{event.event_id}-{copy}")
        for event in listed
        for copy in range(1 + homes // len(listed))
    ]
    return list(load.told(offered[:homes], 1, load.spread(REGIONS_OPEN)))


def recover(on: Ground, models: Models, messages: Sequence[Message]) -> Recovery:
    """Fill a worker's state, kill it, start it anew.

    Raises
    ------
    Failed : it did not fill its state
    """
    prefix = f"bench-{secrets.token_hex(3)}"
    make_topics(on, prefix)
    load.publish(on.brokers, full_name(prefix, MODELS), models.messages)
    load.publish(on.brokers, full_name(prefix, EVENTS), messages)
    committed = measure.committed_by(on.brokers, OURS.group(prefix), full_name(prefix, EVENTS))
    filling = contestants.start(OURS, on, models, prefix)
    filled = measure.watch(filling, None, committed, len(messages), _FILLED_WITHIN_S)
    filling.process.kill()
    on.programs.stop(filling)
    began_s = time.monotonic()
    again = contestants.start(OURS, on, models, prefix)
    on.programs.await_(lambda: has_opened(again), _WITHIN_S, again, "open its partitions")
    took_s = time.monotonic() - began_s
    memory_mb = usage(again.process.pid).memory_mb
    on.programs.stop(again)
    state_bytes = weights.weigh(messages, served(models)).state_bytes
    read_s = opening_s(again.log.read_text("utf-8"))
    return Recovery(state_bytes / 1e6, took_s, read_s, memory_mb, filled.memory_mb)


def opening_s(log: str) -> float:
    r"""From the line "opening" of a worker's log to the line "opened", of the same partitions.

    >>> line = '{{"message": "{}", "partitions": [0], "at": "2026-01-01T00:00:0{}+00:00"}}'
    >>> opening_s("\n".join((line.format("opening", "1.0"), line.format("opened", "1.5"))))
    0.5
    """
    lines = [msgspec.json.decode(line, type=_Line) for line in log.splitlines() if line[:1] == "{"]
    told = [each for each in lines if each.partitions]
    began, ended = (next(e for e in told if e.message == what) for what in ("opening", "opened"))
    return (datetime.fromisoformat(ended.at) - datetime.fromisoformat(began.at)).total_seconds()
