"""Believable events to regions, ledger entries and feature rows. One screen.

Training, backtest and serving all come through here: no second function knows
a feature. What a model will say is not needed to get this far, so all rows of
a batch can be predicted at once afterwards.
"""

import math
from collections.abc import Mapping, MutableMapping
from typing import NamedTuple

from stream_app.contract.events import AnyEvent, Correction, Erasure, Listing, Sale, Withdrawal
from stream_app.contract.ids import prediction_id
from stream_app.contract.predictions import Arm
from stream_app.contract.spans import HOUR_MS
from stream_app.core import expiry, features, labels, peers, publishers, region, typical
from stream_app.core.expiry import Shelf
from stream_app.core.labels import Entry, LabelState, Served, Verdict
from stream_app.core.publishers import Publisher
from stream_app.core.region import Region
from stream_app.core.watermark import Timing, follow


class Desk(NamedTuple):
    """What a batch works on, thawed: both fetch on first use and keep what they fetched."""

    regions: MutableMapping[str, Region]
    entries: MutableMapping[str, Entry | None]  # by entry_key; None: gone or never there
    pages: MutableMapping[str, list[str]]  # of the ledger: expiry.py
    shelves: Mapping[str, Shelf]  # by market: what the ledger keeps, and for how long
    publishers: MutableMapping[str, Publisher]  # by name; many may share one


class Done(NamedTuple):
    """What became of one event, before any model has spoken."""

    verdict: Verdict
    timing: Timing | None = None
    served: Served | None = None  # of a listing: to be answered; of a sale: what it joins
    superseded: Served | None = None  # of an amended listing: what was answered before
    naive_log: float | None = None
    feature_age_ms: int | None = None
    already_sold: bool = False
    typical: tuple[float, ...] | None = None  # the row of the region's typical home, before this
    doubted: bool = False  # neither window nor lesson: core/publishers.py


def entry_key(event: AnyEvent) -> str:
    """Name an event's ledger entry: a listing id means something within its region."""
    return f"{event.region}:{event.listing_id}"


def featurise(event: AnyEvent, desk: Desk, arm: Arm = Arm.CHAMPION) -> Done:
    """Take one event in: move its region's clock and windows, and its ledger entry.

    `arm`: to whom a listing is given.
    """
    key = entry_key(event)
    entry = desk.entries[key]
    unwanted = labels.unwanted(entry, event)
    if unwanted is not None:
        return Done(unwanted)
    if isinstance(event, Erasure):
        if entry is not None:
            expiry.erase(desk.shelves[entry.market], key, entry)
        return Done(Verdict.ERASED)
    before = None if entry is None else entry.state
    done = _enter(event, arm, key, entry, desk)
    if done.timing is not None:
        _age(event, key, before, done, desk)
    return done


def _enter(event: AnyEvent, arm: Arm, key: str, entry: Entry | None, desk: Desk) -> Done:
    area, policy = desk.regions[event.region], desk.shelves[event.market].policy
    if isinstance(event, Listing):
        return _list(event, arm, key, entry, area, desk)
    if isinstance(event, Sale | Correction):
        return _label(event, key, entry, area, desk)
    assert isinstance(event, Withdrawal)  # noqa: S101 - an erasure does not come so far
    desk.entries[key], verdict = labels.withdraw(entry, event)
    return Done(verdict, _observe(event, area, policy.withdrawal_late_h))


def _age(event: AnyEvent, key: str, before: LabelState | None, done: Done, desk: Desk) -> None:
    """Let the partition's time and the age of its ledger follow the event."""
    shelf, entry = desk.shelves[event.market], desk.entries[key]
    assert entry is not None  # noqa: S101 - it has just been entered
    if done.timing is Timing.ON_TIME:
        follow(shelf.ledger.watermark, event.region, event.event_time_ms)
    believed_ms = min(event.event_time_ms, desk.regions[event.region].clock.newest_ms)
    expiry.touch(shelf, key, entry, before, believed_ms)
    expiry.count(shelf, entry, done.verdict, event.event_time_ms)
    expiry.forget(shelf)


def _observe(event: AnyEvent, area: Region, allowed_h: int) -> Timing:
    return region.tell_time(area, event.event_time_ms, event.event_id, allowed_h * HOUR_MS)


def _list(
    event: Listing, arm: Arm, key: str, entry: Entry | None, area: Region, desk: Desk
) -> Done:
    timing = _observe(event, area, desk.shelves[event.market].policy.listing_late_h)
    peer_group = peers.group_of(event.street, event.property_type)
    around = features.look_around(area, event.event_time_ms, peer_group)
    served = Served(
        prediction_id=prediction_id(event.region, event.listing_id, event.event_id, arm),
        listed_ms=event.event_time_ms,
        late=timing is Timing.LATE,
        area_m2=event.area_m2,
        property_type=event.property_type,
        features=features.row(event, around),
        arm=arm,
        source=event.source,
        naive_log=features.naive_log_price(event, around),
        peer_group=peer_group,
    )
    publisher = desk.publishers[event.source]
    publishers.describe(publisher, event)
    doubted = bool(publisher.doubts)
    superseded = labels.newest(entry)
    first = entry is None or entry.revision < 0
    entry, verdict = labels.list_(entry, event, served)
    desk.entries[key] = entry
    if verdict is Verdict.OUTDATED:
        return Done(verdict, timing)
    usual = typical.against(area.typical, served.features)
    if first and not doubted:  # an amended listing is the same home on offer
        region.note_listing(area, event.event_time_ms, timing)
        if timing is Timing.ON_TIME:
            typical.note(area.typical, served.features)
    return Done(
        verdict,
        timing,
        served,
        superseded,
        served.naive_log,
        region.sale_age_ms(area, event.event_time_ms),
        entry.state in labels.SOLD,
        usual,
        doubted,
    )


def _label(
    event: Sale | Correction, key: str, entry: Entry | None, area: Region, desk: Desk
) -> Done:
    entry, verdict = labels.label(entry, event)
    if verdict is Verdict.SOLD_BEFORE_LISTED:
        return Done(verdict)
    desk.entries[key] = entry
    policy = desk.shelves[event.market].policy
    allowed_h = policy.sale_late_h if isinstance(event, Sale) else policy.correction_late_h
    timing = _observe(event, area, allowed_h)
    served = entry.served
    if served is None or verdict not in (Verdict.JOINED, Verdict.CORRECTED):
        return Done(verdict, timing, served)
    first = verdict is Verdict.JOINED
    doubted = _doubt(event, served, first, desk)
    if first and not doubted:
        per_m2 = features.log_per_m2(event.sale_price, served.area_m2)
        region.note_sale(area, event.event_time_ms, timing, per_m2, served.peer_group)
    return Done(verdict, timing, served, doubted=doubted)


def _doubt(event: Sale | Correction, served: Served, first: bool, desk: Desk) -> bool:
    """Hold a first price against its region; say whether one of the two who told it is doubted.

    The price is the seller's and the area the lister's: nothing tells which one is off.
    """
    seller, lister = desk.publishers[event.source], desk.publishers[served.source]
    told_by = (seller,) if lister is seller else (seller, lister)
    if first:
        shift = None if served.naive_log is None else math.log(event.sale_price) - served.naive_log
        for publisher in told_by:
            publishers.compare(publisher, shift)
    return any(publisher.doubts for publisher in told_by)
