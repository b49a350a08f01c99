"""Believable events, with anything changed by keyword. Values only, no broker.

Nothing is checked here, so that a test can also build what the rules refuse. An
event id follows from listing, kind and revision unless one is given, so two calls
with the same arguments build the same event.
"""

from typing import TypeVar

import msgspec

from stream_app.contract import wire
from stream_app.contract.events import (
    Correction,
    Erasure,
    Event,
    Listing,
    Sale,
    Withdrawal,
    kind_of,
)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

LISTED_MS = 1_405_296_000_000  # 2014-07-14, within the King County file
SOLD_MS = LISTED_MS + 30 * DAY_MS

MARKET = "king-county"
REGION = "kc-98178"
LISTING_ID = "kc-7129300520-1"
SOURCE = "test"

E = TypeVar("E", bound=Event)


def listing(**changes: object) -> Listing:
    """A modest King County home, everything known but the asking price."""
    return _changed(
        Listing(
            event_id="",
            event_time_ms=LISTED_MS,
            market=MARKET,
            region=REGION,
            listing_id=LISTING_ID,
            source=SOURCE,
            home_id="kc-7129300520",
            area_m2=110.0,
            property_type="house",
            lot_m2=525.0,
            basement_m2=0.0,
            neighbour_area_m2=124.0,
            neighbour_lot_m2=525.0,
            bedrooms=3,
            bathrooms=1.5,
            storeys=1.0,
            built_year=1955,
            condition=3,
            grade=7,
            view=0,
            waterfront=False,
            latitude=47.5112,
            longitude=-122.257,
        ),
        changes,
    )


def flat(**changes: object) -> Listing:
    """An HDB flat: another market, another currency, other fields known."""
    return _changed(
        Listing(
            event_id="",
            event_time_ms=LISTED_MS,
            market="hdb",
            region="hdb-ang-mo-kio",
            listing_id="hdb-1",
            source=SOURCE,
            area_m2=67.0,
            property_type="3 room",
            model="new generation",
            street="ang mo kio ave 4",
            floor=8.0,
            built_year=1980,
            lease_remaining_years=64.5,
        ),
        changes,
    )


def sale(**changes: object) -> Sale:
    """The sale of `listing()`, 30 days after it."""
    return _changed(
        Sale(
            event_id="",
            event_time_ms=SOLD_MS,
            market=MARKET,
            region=REGION,
            listing_id=LISTING_ID,
            source=SOURCE,
            sale_price=221_900.0,
        ),
        changes,
    )


def correction(**changes: object) -> Correction:
    """Ten days after `sale()`: the price was another one."""
    return _changed(
        Correction(
            event_id="",
            event_time_ms=SOLD_MS + 10 * DAY_MS,
            market=MARKET,
            region=REGION,
            listing_id=LISTING_ID,
            source=SOURCE,
            sale_price=229_100.0,
        ),
        changes,
    )


def withdrawal(**changes: object) -> Withdrawal:
    """`listing()` left the market unsold, 20 days after it came."""
    return _changed(
        Withdrawal(
            event_id="",
            event_time_ms=LISTED_MS + 20 * DAY_MS,
            market=MARKET,
            region=REGION,
            listing_id=LISTING_ID,
            source=SOURCE,
        ),
        changes,
    )


def erasure(**changes: object) -> Erasure:
    """All that is kept about `listing()` must go."""
    return _changed(
        Erasure(
            event_id="",
            event_time_ms=SOLD_MS + 60 * DAY_MS,
            market=MARKET,
            region=REGION,
            listing_id=LISTING_ID,
            source=SOURCE,
        ),
        changes,
    )


def raw(event: Event) -> bytes:
    """The event as it stands in `housing.events`."""
    return wire.encode(event)


def _changed(event: E, changes: dict[str, object]) -> E:
    event = msgspec.structs.replace(event, **changes)
    if "event_id" in changes:
        return event
    revision = getattr(event, "revision", 0)
    return msgspec.structs.replace(
        event, event_id=f"{event.listing_id}:{kind_of(event)}:{revision}"
    )
