"""What a believable event is. Looks at one event, never at history or a clock.

A rule says what must hold, so that NaN, which compares false, breaks it. Limits
are wide on purpose: what is merely unusual is scored.

Three tiers: `repair` (wire.py: text that is a number becomes one, and the
prediction says so), `reject` (the table below, and the codes that need the
record or the ledger: wire.py and stages/scorer.py), `degrade` (the quality
reasons of predictions.py).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from stream_app.contract.events import EVENT_TYPES, AnyEvent, Correction, Event, Listing, Sale
from stream_app.contract.markets import MARKETS
from stream_app.contract.rejects import RejectCode

YEAR_MS = 31_556_952_000  # mean Gregorian year
EPOCH_1990_MS = 631_152_000_000
# The least money there is. Of a price per m2 that rounds to 0 there is no logarithm, and the
# squares of some dozen logarithms like that of 1e-300 no longer fit a record's integer.
PRICE_MIN = 0.01
# Clocks of publishers and broker differ a little; an event from the future is
# one that no such difference explains.
FUTURE_TOLERANCE_MS = 5 * 60_000


class Rule(NamedTuple):
    """One thing that must hold of some types of events."""

    code: RejectCode
    must_hold: str
    why: str
    of: tuple[type[Event], ...]
    holds: Callable[[Any], bool]  # asked of events of these types only
    told: Callable[[Any], str]  # the values that broke it


def _between(low: float, value: float | None, high: float) -> bool:
    return value is None or low <= value <= high


def _listing(
    code: RejectCode,
    must_hold: str,
    why: str,
    holds: Callable[[Listing], bool],
    *fields: str,
) -> Rule:
    def told(listing: Listing) -> str:
        return ", ".join(f"{field}={getattr(listing, field)}" for field in fields)

    return Rule(code, must_hold, why, (Listing,), holds, told)


def _price(event: Listing | Sale | Correction) -> float | None:
    return event.asking_price if isinstance(event, Listing) else event.sale_price


def _price_holds(event: Listing | Sale | Correction) -> bool:
    price = _price(event)
    return price is None or PRICE_MIN <= price < 1e9


def _price_told(event: Listing | Sale | Correction) -> str:
    return f"{'asking' if isinstance(event, Listing) else 'sale'}_price={_price(event)}"


def _years_hold(listing: Listing) -> bool:
    newest = 1970 + listing.event_time_ms // YEAR_MS + 5
    return _between(1500, listing.built_year, newest) and _between(
        listing.built_year or 1500, listing.renovated_year, newest
    )


RULES: tuple[Rule, ...] = (
    Rule(
        RejectCode.MARKET,
        "market is one of contract/markets.py",
        "without a market there is no currency",
        EVENT_TYPES,
        lambda e: e.market in MARKETS,
        lambda e: f"market={e.market!r}, known: {', '.join(MARKETS)}",
    ),
    Rule(
        RejectCode.TIME,
        "event_time_ms is 1990 or later",
        "seconds instead of milliseconds land in January 1970",
        EVENT_TYPES,
        lambda e: e.event_time_ms >= EPOCH_1990_MS,
        lambda e: f"event_time_ms={e.event_time_ms}; milliseconds since 1970 are wanted",
    ),
    Rule(
        RejectCode.PRICE,
        "0.01 <= price < 1,000,000,000",
        "a price is money that changed hands, or is asked",
        (Listing, Sale, Correction),
        _price_holds,
        _price_told,
    ),
    _listing(
        RejectCode.AREA,
        "10 <= area_m2 <= 5,000",
        "King County sold 27 to 1,258 m2, HDB 31 to 280",
        lambda e: 10 <= e.area_m2 <= 5_000,
        "area_m2",
    ),
    _listing(
        RejectCode.ROOMS,
        "bedrooms * 7 <= area_m2, at most 60 bathrooms",
        "King County has 15 m2 per bedroom or more, but for one typing error: 33 in 151 m2",
        lambda e: 0 <= (e.bedrooms or 0) * 7 <= e.area_m2 and _between(0, e.bathrooms, 60),
        "bedrooms",
        "bathrooms",
        "area_m2",
    ),
    _listing(
        RejectCode.YEARS,
        "1500 <= built_year <= year of the event + 5, built_year <= renovated_year",
        "a home cannot be renovated before it stands; homes are sold off the plan",
        _years_hold,
        "built_year",
        "renovated_year",
    ),
    _listing(
        RejectCode.PLACE,
        "-90 <= latitude <= 90, -180 <= longitude <= 180, and both or none",
        "one without the other, or swapped, puts a home elsewhere",
        lambda e: (
            _between(-90, e.latitude, 90)
            and _between(-180, e.longitude, 180)
            and (e.latitude is None) == (e.longitude is None)
        ),
        "latitude",
        "longitude",
    ),
    _listing(
        RejectCode.RANGE,
        "lot_m2, basement_m2, neighbour areas 0 to 10,000,000; storeys 0 to 10; floor -5 to 200; "
        "lease 0 to 1,000 years; condition 1 to 5; grade 1 to 13; view 0 to 4",
        "beyond these the unit is another one",
        lambda e: (
            _between(0, e.lot_m2, 1e7)
            and _between(0, e.basement_m2, 1e7)
            and _between(0, e.neighbour_area_m2, 1e7)
            and _between(0, e.neighbour_lot_m2, 1e7)
            and _between(0, e.storeys, 10)
            and _between(-5, e.floor, 200)
            and _between(0, e.lease_remaining_years, 1_000)
            and _between(1, e.condition, 5)
            and _between(1, e.grade, 13)
            and _between(0, e.view, 4)
        ),
        "lot_m2",
        "basement_m2",
        "neighbour_area_m2",
        "neighbour_lot_m2",
        "storeys",
        "floor",
        "lease_remaining_years",
        "condition",
        "grade",
        "view",
    ),
)


_RULES_OF: dict[type[Event], tuple[Rule, ...]] = {
    event_type: tuple(rule for rule in RULES if event_type in rule.of) for event_type in EVENT_TYPES
}


def violation(event: AnyEvent) -> tuple[RejectCode, str] | None:
    """Name the first rule that the event breaks and the values that broke it; None if none."""
    for rule in _RULES_OF[type(event)]:
        if not rule.holds(event):
            return rule.code, f"{rule.told(event)}: must hold: {rule.must_hold}"
    return None


def from_future(event: AnyEvent, append_time_ms: int) -> tuple[RejectCode, str] | None:
    """Say so when the event lies after the time at which the broker took it, or would now."""
    if event.event_time_ms <= append_time_ms + FUTURE_TOLERANCE_MS:
        return None
    return (
        RejectCode.FUTURE,
        f"event_time_ms={event.event_time_ms} is after {append_time_ms}, when the broker took it",
    )
