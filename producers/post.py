"""One event as it is sent: bytes, and what sending needs to know of them."""

from typing import NamedTuple

from stream_app.contract import wire
from stream_app.contract.events import AnyEvent, kind_of


class Post(NamedTuple):
    """Bytes that need not be an event: a scenario may have spoilt them."""

    due_ms: int  # when the publisher sends it, in the history's time
    event_id: str
    region: str
    kind: str
    raw: bytes


def posted(event: AnyEvent | Post) -> Post:
    """An event as it stands is sent when it happens."""
    if isinstance(event, Post):
        return event
    raw = wire.encode(event)
    return Post(event.event_time_ms, event.event_id, event.region, kind_of(event), raw)
