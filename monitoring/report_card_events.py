"""How soon a mistake of a publisher, or another kind of homes, is told. Pure.

Planted into real events in their own order, from half-way on: what publishers are held against,
their own past, does not survive a shuffle. Listings are dealt to three agencies, and their sales
with them. Told is the delay in events that the plant touches, and what is told where nothing was
planted.
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from monitoring.detectors.categories import CategoryWatch
from monitoring.detectors.finding import Event, Finding
from monitoring.detectors.inputs import InputWatch
from monitoring.detectors.rates import RateWatch
from monitoring.detectors.units import UnitWatch
from monitoring.report_card import Power, power_of

AGENCIES = 3
WRONG = "agency-1"
MEASURES = ("area_m2", "lot_m2", "basement_m2", "sale_price")
SQUARE_FEET = 10.7639
SQUARE_YARDS = 1.19599
FIELD = "built_year"  # both markets have it
NULLS_SHARE = 0.3
NEW_TYPE = "houseboat"
NEW_TYPE_SHARE = 0.02


class Watch(Protocol):
    """Anything that looks at events one by one."""

    def update(self, event: Event) -> list[Finding]: ...


WATCHES: dict[str, Callable[[], Watch]] = {
    "units": UnitWatch,
    "rates": RateWatch,
    "categories": CategoryWatch,
    "inputs": InputWatch,
}


class Trouble(Struct, frozen=True):
    """What is planted, and which finding of which watch is the right one."""

    plant: str
    alarm: str
    segment: str
    act: Callable[[Event], Event | None]  # None: the plant does not touch this event


def troubles() -> list[Trouble]:
    """The plants of the card."""
    units = [
        Trouble(f"{name} times {SQUARE_FEET:g}", "units", _of(name), _times(name, SQUARE_FEET))
        for name in MEASURES
    ]
    return [
        *units,
        Trouble("sale_price in thousands", "units", _of("sale_price"), _times("sale_price", 1e-3)),
        # Misses: a factor below two is a kind of home, and inputs do not know the publisher.
        Trouble(
            "area_m2 in square yards", "units", _of("area_m2"), _times("area_m2", SQUARE_YARDS)
        ),
        Trouble("bathrooms twice", "inputs", "field=bathrooms", _times("bathrooms", 2)),
        Trouble("longitude without sign", "inputs", "field=longitude", _times("longitude", -1)),
        Trouble(f"{FIELD} null in {NULLS_SHARE:.0%}", "rates", _of(FIELD), _nulls(NULLS_SHARE)),
        Trouble(f"{FIELD} null", "rates", _of(FIELD), _nulls(1)),
        Trouble(
            "new type of home", "categories", f"field=property_type value={NEW_TYPE}", _new_type
        ),
        Trouble("dead feature", "inputs", f"field={FIELD}", _dead),
    ]


def power(events: Sequence[Event], planted: Iterable[Trouble]) -> list[Power]:
    """Measure the watch of each trouble on it."""
    return [power_of(one.alarm, one.plant, [_delay(events, one)]) for one in planted]


def false_alarms(events: Sequence[Event]) -> dict[str, int]:
    """Count what each watch finds where nothing was planted."""
    return {
        name: sum(len(watch.update(dealt(event))) for event in events)
        for name, watch in ((name, make()) for name, make in WATCHES.items())
    }


def dealt(event: Event) -> Event:
    """Deal listings to agencies, and their sales with them."""
    return replace(event, publisher=f"agency-{_number(event) % AGENCIES}")


def _delay(events: Sequence[Event], trouble: Trouble) -> int | None:
    """Events that were touched until the watch told of it; None: it did not."""
    watch, touched = WATCHES[trouble.alarm](), 0
    for number, event in enumerate(map(dealt, events)):
        acted = trouble.act(event) if number >= len(events) // 2 else None
        touched += acted is not None
        if any(found.segment == trouble.segment for found in watch.update(acted or event)):
            return touched or None
    return None


def _of(name: str) -> str:
    return f"publisher={WRONG} field={name}"


def _times(name: str, factor: float) -> Callable[[Event], Event | None]:
    def act(event: Event) -> Event | None:
        value = event.fields.get(name)
        if event.publisher != WRONG:
            return None
        return _with(event, name, value * factor) if isinstance(value, int | float) else event

    return act


def _nulls(share: float) -> Callable[[Event], Event | None]:
    def act(event: Event) -> Event | None:
        if event.publisher != WRONG or FIELD not in event.fields:
            return None
        return _with(event, FIELD, None) if _is_of(event, share) else event

    return act


def _new_type(event: Event) -> Event | None:
    touched = "property_type" in event.fields and _is_of(event, NEW_TYPE_SHARE)
    return _with(event, "property_type", NEW_TYPE) if touched else None


def _dead(event: Event) -> Event | None:
    return _with(event, FIELD, 1970) if FIELD in event.fields else None


def _with(event: Event, name: str, value: object) -> Event:
    return replace(event, fields={**event.fields, name: value})


def _is_of(event: Event, share: float) -> bool:
    return _number(event) // AGENCIES % 1_000 < share * 1_000


def _number(event: Event) -> int:
    return zlib.crc32(str(event.fields.get("listing_id")).encode())
