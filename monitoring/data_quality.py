"""Whether events are right, whole, consistent, once and in time: apart from any model. Pure.

Cheap figures (how many, how late) are of all events, what needs the whole event is looked up in
a sample: all events of some listings, chosen by a seeded hash of the listing's id, so that what
belongs together is in it together.

- accuracy: listings and sales that break no rule of believability (contract/rules.py)
- completeness: known values among the fields that the reference has as a rule
- consistency: listings whose events do not contradict each other
- uniqueness: events whose id came once
- timeliness: events that are not behind the newest of their partition by more than a day
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import msgspec
import pandas as pd
from msgspec import Struct

from stream_app.contract import rules, wire
from stream_app.contract.events import AnyEvent, Event, Listing, Sale
from stream_app.contract.rejects import Rejected
from stream_app.contract.spans import DAY_MS

LATE_MS = DAY_MS  # a publisher sends once a day at least
# A leap that no event confirms is a wrong clock, not a newest event (core/watermark.py).
LEAP_MS = 45 * DAY_MS
AS_A_RULE = 0.5  # a field that is known more often than that belongs to the market
ENVELOPE = {field.name for field in msgspec.structs.fields(Event)} | {"revision", "home_id"}
FIELDS = tuple(f.name for f in msgspec.structs.fields(Listing) if f.name not in ENVELOPE)
TEXTS = {"property_type", "model", "street"}


class Dimension(Struct, frozen=True):
    """A share of what was looked at that is as it should be; null of nothing."""

    share: float | None
    n: int


class FieldUnknown(Struct, frozen=True, kw_only=True):
    """How often a field of listings has no value."""

    field: str
    unknown: float
    unknown_reference: float


class DataQuality(Struct, frozen=True, kw_only=True):
    events: int
    sampled: int  # events that were looked into
    kinds: Mapping[str, int]  # of all events; "unreadable": no event
    dimensions: Mapping[str, Dimension]
    fields: tuple[FieldUnknown, ...]


class Window:
    """The events of one window, as they come."""

    def __init__(self, sampled_share: float, seed: int) -> None:
        self.kinds: Counter[str] = Counter()
        self.in_time = 0
        self.timed = 0
        self.refused = 0
        self.listings: dict[str, list[AnyEvent]] = defaultdict(list)
        self._newest: dict[int, int] = {}
        self._bound = sampled_share * 2**32
        self._salt = str(seed).encode()

    def add(
        self,
        partition: int,
        kind: str | None,
        listing_id: str | None,
        at_ms: int | None,
        raw: bytes,
    ) -> None:
        """Count one event, of which the head is known; look into it if its listing is chosen."""
        self.kinds[kind or "unreadable"] += 1
        if at_ms is not None:
            self._time(partition, at_ms)
        if zlib.crc32((listing_id or "").encode(), zlib.crc32(self._salt)) < self._bound:
            found = wire.decode_event(raw)
            if isinstance(found, Rejected):
                self.refused += 1
            else:
                self.listings[found.event.listing_id].append(found.event)

    def _time(self, partition: int, at_ms: int) -> None:
        newest = self._newest.get(partition, at_ms)
        self.timed += 1
        self.in_time += at_ms >= newest - LATE_MS
        if newest < at_ms <= newest + LEAP_MS or partition not in self._newest:
            self._newest[partition] = at_ms

    def frame(self) -> pd.DataFrame:
        """The chosen listings, a column a field."""
        events = [e for many in self.listings.values() for e in many if isinstance(e, Listing)]
        columns = {
            name: pd.Series(
                [getattr(event, name) for event in events], dtype=object if name in TEXTS else float
            )
            for name in FIELDS
        }
        return pd.DataFrame(columns)


def judge(reference: Window, current: Window) -> DataQuality:
    """Judge the current window; what belongs to the market is as in the reference."""
    events = [event for many in current.listings.values() for event in many]
    fields = unknown(reference.frame(), current.frame())
    usual = [f for f in fields if f.unknown_reference < AS_A_RULE]
    ids = Counter((event.listing_id, event.event_id) for event in events)
    looked_into = len(events) + current.refused
    believable = sum(rules.violation(event) is None for event in events)
    consistent = sum(not contradicts(many) for many in current.listings.values())
    return DataQuality(
        events=sum(current.kinds.values()),
        sampled=looked_into,
        kinds=dict(current.kinds),
        dimensions={
            "accuracy": _share(believable, looked_into),
            "completeness": _share(sum(1 - f.unknown for f in usual), len(usual)),
            "consistency": _share(consistent, len(current.listings)),
            "uniqueness": _share(len(ids), len(events)),
            "timeliness": _share(current.in_time, current.timed),
        },
        fields=fields,
    )


def unknown(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[FieldUnknown, ...]:
    """Shares without a value, of fields that either window knows."""
    if reference.empty or current.empty:
        return ()
    shares = (
        (n, float(current[n].isna().mean()), float(reference[n].isna().mean())) for n in FIELDS
    )
    return tuple(
        FieldUnknown(field=name, unknown=now, unknown_reference=before)
        for name, now, before in shares
        if min(now, before) < 1
    )


def contradicts(events: Iterable[AnyEvent]) -> bool:
    """Tell whether the events of one listing cannot all be true.

    It is in two regions, was sold before it was listed, or says two things of one revision.
    """
    several = list(events)
    listed = [event.event_time_ms for event in several if isinstance(event, Listing)]
    sold = [event.event_time_ms for event in several if isinstance(event, Sale)]
    said: dict[tuple[type[AnyEvent], int], str] = {}
    twice = any(
        said.setdefault((type(event), event.revision), event.event_id) != event.event_id
        for event in several
    )
    too_early = bool(listed and sold) and min(sold) < min(listed)
    return twice or too_early or len({event.region for event in several}) > 1


def findings(data: DataQuality, unknown_max: float, rows_min: int) -> tuple[str, ...]:
    """Tell what is wrong with the events, in words."""
    if data.sampled < rows_min:
        return (f"current window: {data.sampled} events, {rows_min} needed to judge the data",)
    gone = tuple(
        f"{f.field}: unknown in {f.unknown:.1%} of listings, {f.unknown_reference:.1%} before"
        for f in data.fields
        if f.unknown > unknown_max >= f.unknown_reference
    )
    low = tuple(
        f"{name}: {found.share:.1%} of {found.n:,}"
        for name, found in data.dimensions.items()
        if found.share is not None and found.share < 1 - unknown_max
    )
    return gone + low


def _share(part: float, whole: int) -> Dimension:
    return Dimension(part / whole if whole else None, whole)
