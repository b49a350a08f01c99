"""What publishers send to `housing.events`. Units stand in the names.

One tagged union, told apart by `kind`. All events of a region share its
partition, so the record's key is the region. Fields are only ever added, and a
new field raises `SCHEMA_VERSION`: a field that this version does not know is a
mistake (a typing error, or personal data that must not be here), never ignored.
"""

from functools import cache
from typing import Annotated, Literal

from msgspec import Meta, Struct

SCHEMA_VERSION = 1

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Label = Annotated[str, Meta(min_length=1, max_length=64)]
# 2**53: larger integers lose digits in JSON readers that use doubles.
TimeMs = Annotated[int, Meta(ge=0, lt=2**53, description="Unix time, UTC, milliseconds")]
# The ledger keeps an id of each revision: 4 kinds of 501, each 128 letters of up to 4 bytes,
# are 1.1 MB, and a record of state holds 2 (docs/ledger.md).
Revision = Annotated[int, Meta(ge=0, le=500)]


class Event(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every event says, whatever happened."""

    event_id: Annotated[
        Name,
        Meta(
            description="unique among the events of a listing; sent again, the same id is a duplicate"
        ),
    ]
    event_time_ms: Annotated[TimeMs, Meta(description="when it happened, not when it was sent")]
    market: Annotated[Label, Meta(description="which market, see contract/markets.py")]
    region: Annotated[Label, Meta(description="unique across markets; also the record's key")]
    listing_id: Annotated[Name, Meta(description="one offer of one home; a relisting is a new one")]
    source: Annotated[Label, Meta(description="the publisher")]
    schema_version: Annotated[Literal[1], Meta(description="version of this schema")] = 1
    sequence: Annotated[
        Annotated[int, Meta(ge=0, lt=2**53)] | None, Meta(description="the publisher's own counter")
    ] = None
    trace_id: Annotated[Name | None, Meta(description="returned in the prediction")] = None
    simulated_fields: Annotated[
        tuple[Label, ...],
        Meta(max_length=64, description="fields that the source did not have and made up"),
    ] = ()


class Listing(Event, frozen=True, kw_only=True, tag="listing"):
    """A home comes onto the market, or its offer is amended (a higher revision)."""

    area_m2: Annotated[float, Meta(description="living area")]
    property_type: Annotated[Label, Meta(description="as the market names it, lower case")]
    revision: Annotated[Revision, Meta(description="0 at first, higher when amended")] = 0
    home_id: Annotated[Name | None, Meta(description="the home itself, over all its sales")] = None
    asking_price: Annotated[float | None, Meta(description="in the market's currency")] = None
    model: Annotated[Label | None, Meta(description="building design, e.g. HDB flat model")] = None
    street: Annotated[Name | None, Meta(description="street name without house number")] = None
    lot_m2: Annotated[float | None, Meta(description="land area")] = None
    basement_m2: Annotated[float | None, Meta(description="basement area; 0 when none")] = None
    neighbour_area_m2: Annotated[
        float | None, Meta(description="mean living area of the 15 nearest homes")
    ] = None
    neighbour_lot_m2: Annotated[
        float | None, Meta(description="mean land area of the 15 nearest homes")
    ] = None
    bedrooms: Annotated[int | None, Meta(description="number of bedrooms")] = None
    bathrooms: Annotated[float | None, Meta(description="number; a half has no bath")] = None
    storeys: Annotated[float | None, Meta(description="levels inside the home")] = None
    floor: Annotated[float | None, Meta(description="storey of the flat, 1 is the ground")] = None
    built_year: Annotated[int | None, Meta(description="year of completion")] = None
    renovated_year: Annotated[int | None, Meta(description="last major renovation")] = None
    lease_remaining_years: Annotated[
        float | None, Meta(description="years of lease left at the event")
    ] = None
    condition: Annotated[int | None, Meta(description="1 poor to 5 very good")] = None
    grade: Annotated[int | None, Meta(description="construction quality, 1 to 13")] = None
    view: Annotated[int | None, Meta(description="0 none to 4 excellent")] = None
    waterfront: Annotated[bool | None, Meta(description="looks onto open water")] = None
    latitude: Annotated[float | None, Meta(description="degrees north, WGS 84")] = None
    longitude: Annotated[float | None, Meta(description="degrees east, WGS 84")] = None


class Sale(Event, frozen=True, kw_only=True, tag="sale"):
    """A listed home was sold. This is the label of its prediction."""

    sale_price: Annotated[float, Meta(description="in the market's currency")]
    revision: Revision = 0


class Correction(Event, frozen=True, kw_only=True, tag="correction"):
    """The sale price was published wrong; this one holds."""

    sale_price: Annotated[float, Meta(description="in the market's currency")]
    revision: Annotated[Revision, Meta(description="1 at first, higher when corrected again")] = 1


class Withdrawal(Event, frozen=True, kw_only=True, tag="withdrawal"):
    """The home left the market unsold."""

    revision: Revision = 0


class Erasure(Event, frozen=True, kw_only=True, tag="erasure"):
    """All that is kept about this listing must go."""

    revision: Revision = 0


AnyEvent = Listing | Sale | Correction | Withdrawal | Erasure
EVENT_TYPES: tuple[type[Event], ...] = (Listing, Sale, Correction, Withdrawal, Erasure)


def kind_of(event: Event) -> str:
    """Tell the event's `kind` as it stands on the wire."""
    return kind_of_type(type(event))


@cache  # msgspec makes a type's configuration anew for each look
def kind_of_type(event_type: type[Event]) -> str:
    """Tell the `kind` of all events of a type.

    >>> kind_of_type(Withdrawal)
    'withdrawal'
    """
    kind = event_type.__struct_config__.tag
    assert isinstance(kind, str)  # noqa: S101 - every event type above has a text tag
    return kind
