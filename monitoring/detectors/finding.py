"""What detectors take in, and what they say. Values only."""

from collections.abc import Mapping
from enum import StrEnum, auto

from msgspec import Struct


class Cause(StrEnum):
    """What was seen. A closed set: policy and alerts switch on it."""

    PRICE_LEVEL = auto()
    ERROR = auto()
    UNIT = auto()
    NULLS = auto()
    REJECTS = auto()
    CATEGORY = auto()
    INPUT = auto()
    SKEW = auto()
    VOLUME = auto()


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is not as it was."""

    cause: Cause
    market: str
    # "region=...", "type=...", "publisher=... field=..."; None: the whole market
    segment: str | None
    value: float
    baseline: float
    n: int  # that `value` was made of
    since_ms: int  # event time, as good as it can be told
    seen_ms: int  # event time of the newest row that shows it
    likely: str  # the likely cause, in words
    # Chance of seeing as much when nothing has changed; None: the threshold was measured.
    p_value: float | None = None


class Labelled(Struct, frozen=True):
    """One sale and what had been answered."""

    market: str
    region: str
    sold_ms: int
    error_log: float  # log sale price less log price
    property_type: str = ""  # unknown: of no type


class Event(Struct, frozen=True):
    """One event as it was sent."""

    market: str
    publisher: str
    at_ms: int
    fields: Mapping[str, object]
    rejected: bool = False
