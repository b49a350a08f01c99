"""What archived bytes tell of themselves: market, listing, time, kind. Any bytes will do.

Not here: whether the event is believable (contract/rules.py). Of bytes that were refused
as much is told as they say, so that they lie in their market's folder and an erasure
finds them.
"""

from typing import NamedTuple

import msgspec
from msgspec import Struct

TIME_END_MS = 2**53  # as in the contract; more does not fit a manifest either


class Head(NamedTuple):
    """None: the bytes do not say, or say something of another type."""

    market: str | None = None
    listing_id: str | None = None
    event_time_ms: int | None = None
    kind: str | None = None


class _Said(Struct):
    market: object = None
    listing_id: object = None
    event_time_ms: object = None
    kind: object = None


_decoder = msgspec.json.Decoder(_Said)


def head_of(value: bytes | None) -> Head:
    """Read the head; an empty one of bytes that are no JSON object.

    >>> head_of(b'{"market": "hdb", "listing_id": 7, "kind": "sale"}')
    Head(market='hdb', listing_id=None, event_time_ms=None, kind='sale')
    >>> head_of(b"?")
    Head(market=None, listing_id=None, event_time_ms=None, kind=None)
    """
    try:
        said = _decoder.decode(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Head()
    return Head(_text(said.market), _text(said.listing_id), _time(said), _text(said.kind))


def _text(said: object) -> str | None:
    return said if isinstance(said, str) else None


def _time(said: _Said) -> int | None:
    time_ms = said.event_time_ms
    return time_ms if type(time_ms) is int and 0 <= time_ms < TIME_END_MS else None
