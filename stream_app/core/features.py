"""What a model sees of a listing: one row of numbers, in one fixed order.

Not here: what the numbers are encoded to for a certain model (its manifest says
so: scoring/champion.py), which of them its trees read (offline/train.py), and the
dictionary for people (feature_dictionary.py makes it of what stands here).

Every feature is known when the listing is: windows hold only what happened
before, and never the sale of the home itself. Unknown is NaN (null on the wire),
never 0. The asking price is no feature: the sources at hand do not publish it.
"""

import math
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from stream_app.contract.events import Listing
from stream_app.contract.ids import fingerprint
from stream_app.contract.spans import DAY_MS, HOUR_MS
from stream_app.core import peers, windows
from stream_app.core.region import DAYS, HOURS, Region, sale_age_ms
from stream_app.core.windows import Summary

YEAR_DAYS = 365.2425
NAN = math.nan


class Feature(NamedTuple):
    """One column: what it is, and what holds of it. Tests try each claim on the code."""

    name: str
    unit: str
    meaning: str
    why: str  # it may tell a price
    leak: str  # how it could come to know the price
    low: float  # no believable event gives less
    high: float  # or more
    source: tuple[str, ...] = ()  # fields of the listing; null when one of them is
    span_ms: int = 0  # how far a window reaches back; 0: it is no window
    null_when: str = ""  # beside an absent source; empty: never


class Around(NamedTuple):
    """What the region's windows say at the time of a listing."""

    sales_24h: int
    listings_24h: int
    listings_7d: int
    listings_30d: int
    sales_7d: Summary
    sales_30d: Summary
    sales_90d: Summary
    sale_age_days: float
    peers_mean: float | None


def look_around(region: Region, at_ms: int, peer_group: int | None = None) -> Around:
    """Ask the region's windows, each at `at_ms`; call it before the listing is counted."""
    (sales_24h,) = windows.count(HOURS, region.sales_hours, at_ms, (24,))
    (listings_24h,) = windows.count(HOURS, region.listings_hours, at_ms, (24,))
    listings_7d, listings_30d = windows.count(DAYS, region.listings_days, at_ms, (7, 30))
    week, month, quarter = windows.summarise(DAYS, region.sales_days, at_ms, (7, 30, 90))
    age_ms = sale_age_ms(region, at_ms)
    return Around(
        sales_24h,
        listings_24h,
        listings_7d,
        listings_30d,
        week,
        month,
        quarter,
        NAN if age_ms is None else age_ms / DAY_MS,
        peers.mean(region.peers, peer_group, at_ms),
    )


@lru_cache(maxsize=4_096)  # types, designs, streets and regions come again and again
def code(text: str | None) -> float:
    """Number for a name; exact in a double, the same everywhere. NaN for none.

    >>> code("improved"), code(None)
    (2847620774.0, nan)
    """
    return NAN if text is None else float(zlib.crc32(text.encode()))


def _log(value: float | None) -> float | None:
    return math.log(value) if value is not None and value > 0 else None


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def year(event_time_ms: int) -> float:
    """Year and part of it.

    >>> round(year(0), 1)
    1970.0
    """
    return 1970 + event_time_ms / DAY_MS / YEAR_DAYS


def _season(event_time_ms: int) -> float:
    """Angle of the day in the year, radians."""
    return 2 * math.pi * (event_time_ms / DAY_MS / YEAR_DAYS % 1)


Value = Callable[[Listing, Around], float | None]  # None is unknown
Column = tuple[Feature, Value]

_FACT = "none: a fact that the listing brings"
_SNAPSHOT = "King County: as of the file's making, so it may know of work done after the sale"
_OWN_SALE = "the own sale: it comes after the listing, and what was served is never made anew"


def _home(
    name: str,
    unit: str,
    meaning: str,
    why: str,
    bounds: tuple[float, float],
    source: str,
    value: Value,
    leak: str = _FACT,
    null_when: str = "",
) -> Column:
    """A column of the home itself; `source`: the fields it is made of, parted by blanks."""
    fields = tuple(source.split())
    return Feature(name, unit, meaning, why, leak, *bounds, fields, 0, null_when), value


def _count(name: str, of: str, span_ms: int, value: Value) -> Column:
    """A column that counts what happened in the region."""
    span = f"{span_ms // HOUR_MS} h" if span_ms < 7 * DAY_MS else f"{span_ms // DAY_MS} days"
    why = "a market with many buyers, or few"
    leak = _OWN_SALE if of == "sales" else "none: it is counted after its own row is made"
    return Feature(name, "number", f"{of} in {span}", why, leak, 0, 1e6, (), span_ms), value


def _price(name: str, unit: str, meaning: str, null_when: str, days: int, value: Value) -> Column:
    """A column of prices paid in the region."""
    low, high = {"log price/m2": (-14.0, 19.0), "log units": (-33.0, 33.0)}[unit]
    why = "the level of the region, and where it goes"
    span_ms = days * DAY_MS
    return Feature(name, unit, meaning, why, _OWN_SALE, low, high, (), span_ms, null_when), value


_NO_SALE = "no sale in it"
_CODES = (0.0, 2.0**32)
_AREAS = (math.log(1e-3), math.log(1e7))
_YEARS = (-6.0, 9_000.0)

# fmt: off
_COLUMNS: tuple[Column, ...] = (
    _home(
        "home_log_area", "log m2", "living area", "size is most of a price", (math.log(10),
        math.log(5_000)), "area_m2", lambda e, a: _log(e.area_m2),
    ),
    _home(
        "home_type_code", "code", "property type", "a flat of 3 rooms is no maisonette", _CODES,
        "property_type", lambda e, a: code(e.property_type),
    ),
    _home(
        "home_model_code", "code", "building design", "some designs are sought after", _CODES,
        "model", lambda e, a: code(e.model),
    ),
    _home(
        "home_street_code", "code", "street", "the level of a place, finer than its region",
        _CODES, "street", lambda e, a: code(e.street),
    ),
    _home(
        "home_region_code", "code", "region", "the level of a place", _CODES, "region",
        lambda e, a: code(e.region),
    ),
    _home(
        "home_bedrooms", "number", "bedrooms", "how an area is parted", (0, 714), "bedrooms",
        lambda e, a: e.bedrooms,
    ),
    _home(
        "home_bathrooms", "number", "bathrooms", "comfort", (0, 60), "bathrooms",
        lambda e, a: e.bathrooms,
    ),
    _home(
        "home_storeys", "number", "levels inside", "how an area is parted", (0, 10), "storeys",
        lambda e, a: e.storeys,
    ),
    _home(
        "home_floor", "number", "storey of the flat", "light, noise and a view", (-5, 200),
        "floor", lambda e, a: e.floor,
    ),
    _home(
        "home_age_years", "years", "since completion, at the event", "wear and the taste of its day",
        _YEARS, "built_year", lambda e, a: _less(year(e.event_time_ms), e.built_year),
    ),
    _home(
        "home_renovated_years", "years", "since renovation; never is null", "what was made good",
        _YEARS, "renovated_year", lambda e, a: _less(year(e.event_time_ms), e.renovated_year),
        _SNAPSHOT,
    ),
    _home(
        "home_lease_years", "years", "lease left", "what ends is worth less", (0, 1_000),
        "lease_remaining_years", lambda e, a: e.lease_remaining_years,
    ),
    _home(
        "home_condition", "1 to 5", "condition", "what a buyer must still spend", (1, 5),
        "condition", lambda e, a: e.condition, _SNAPSHOT,
    ),
    _home(
        "home_grade", "1 to 13", "construction quality", "how well it is built", (1, 13), "grade",
        lambda e, a: e.grade, _SNAPSHOT,
    ),
    _home(
        "home_view", "0 to 4", "view", "views are paid for", (0, 4), "view",
        lambda e, a: e.view,
    ),
    _home(
        "home_waterfront", "0 or 1", "open water", "shores are rare", (0, 1), "waterfront",
        lambda e, a: e.waterfront,
    ),
    _home(
        "home_log_lot", "log m2", "land area", "land has a price of its own", _AREAS, "lot_m2",
        lambda e, a: _log(e.lot_m2), null_when="it is 0",
    ),
    _home(
        "home_basement_m2", "m2", "basement", "area that is worth less", (0, 1e7), "basement_m2",
        lambda e, a: e.basement_m2,
    ),
    _home(
        "home_log_neighbour_area", "log m2", "mean living area of the 15 nearest homes",
        "the company it is in", _AREAS, "neighbour_area_m2",
        lambda e, a: _log(e.neighbour_area_m2), _SNAPSHOT, "it is 0",
    ),
    _home(
        "home_log_neighbour_lot", "log m2", "mean land area of the 15 nearest homes",
        "how dense the place is", _AREAS, "neighbour_lot_m2",
        lambda e, a: _log(e.neighbour_lot_m2), _SNAPSHOT, "it is 0",
    ),
    _home(
        "home_latitude", "degrees", "north", "place, finer than its region", (-90, 90),
        "latitude", lambda e, a: e.latitude,
    ),
    _home(
        "home_longitude", "degrees", "east", "place, finer than its region", (-180, 180),
        "longitude", lambda e, a: e.longitude,
    ),
    _home(
        "season_sin", "-1 to 1", "sine of the day in the year", "more is sold in spring", (-1, 1),
        "event_time_ms", lambda e, a: math.sin(_season(e.event_time_ms)),
    ),
    _home(
        "season_cos", "-1 to 1", "cosine of the day in the year", "more is sold in spring", (-1, 1),
        "event_time_ms", lambda e, a: math.cos(_season(e.event_time_ms)),
    ),
    _count("region_sales_24h", "sales", DAY_MS, lambda e, a: a.sales_24h),
    _count("region_listings_24h", "listings", DAY_MS, lambda e, a: a.listings_24h),
    _count("region_listings_7d", "listings", 7 * DAY_MS, lambda e, a: a.listings_7d),
    _count("region_listings_30d", "listings", 30 * DAY_MS, lambda e, a: a.listings_30d),
    _count("region_sales_7d", "sales", 7 * DAY_MS, lambda e, a: a.sales_7d.count),
    _count("region_sales_30d", "sales", 30 * DAY_MS, lambda e, a: a.sales_30d.count),
    _count("region_sales_90d", "sales", 90 * DAY_MS, lambda e, a: a.sales_90d.count),
    _price(
        "region_ppm2_median_7d", "log price/m2", "median of the sales in 7 days", _NO_SALE, 7,
        lambda e, a: a.sales_7d.median,
    ),
    _price(
        "region_ppm2_median_30d", "log price/m2", "median of the sales in 30 days", _NO_SALE, 30,
        lambda e, a: a.sales_30d.median,
    ),
    _price(
        "region_ppm2_median_90d", "log price/m2", "median of the sales in 90 days", _NO_SALE, 90,
        lambda e, a: a.sales_90d.median,
    ),
    _price(
        "region_ppm2_mean_30d", "log price/m2", "mean of the sales in 30 days", _NO_SALE, 30,
        lambda e, a: a.sales_30d.mean,
    ),
    _price(
        "region_ppm2_mean_90d", "log price/m2", "mean of the sales in 90 days", _NO_SALE, 90,
        lambda e, a: a.sales_90d.mean,
    ),
    _price(
        "region_ppm2_deviation_90d", "log units", "spread of the sales in 90 days",
        "fewer than two sales in it", 90, lambda e, a: a.sales_90d.deviation,
    ),
    _price(
        "region_ppm2_trend_30d", "log units", "mean of 30 days less that of 90",
        "no sale in 30 days", 90, lambda e, a: _less(a.sales_30d.mean, a.sales_90d.mean),
    ),
    (Feature(
        "region_sale_age_days", "days", "since the newest sale",
        "windows of a region without sales say little", _OWN_SALE, 0.0, 36_525.0,
        null_when="no sale yet",
    ), lambda e, a: a.sale_age_days),
    (Feature(
        "street_ppm2_mean_5", "log price/m2",
        "mean of the newest 5 sales of its property type in its street",
        "what its like were sold for", _OWN_SALE, -14.0, 19.0, ("street",),
        null_when="there was none yet",
    ), lambda e, a: a.peers_mean),
)
# fmt: on

FEATURES: tuple[Feature, ...] = tuple(feature for feature, _ in _COLUMNS)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
# Numbers that stand for a name; a champion's manifest says what it makes of them.
CATEGORICAL: tuple[str, ...] = tuple(f.name for f in FEATURES if f.unit == "code")
FEATURE_SET: str = fingerprint(*NAMES)
_VALUES: tuple[Value, ...] = tuple(value for _, value in _COLUMNS)


def row(listing: Listing, around: Around) -> tuple[float, ...]:
    """The listing's feature row, in the order of `NAMES`; NaN is unknown."""
    return tuple(
        [NAN if (told := value(listing, around)) is None else float(told) for value in _VALUES]
    )


def log_per_m2(price: float, area_m2: float) -> float:
    """Log of the price of a square metre.

    >>> round(log_per_m2(math.e * 50, 50.0), 6)
    1.0
    """
    return math.log(price / area_m2)


def naive_log_price(listing: Listing, around: Around) -> float | None:
    """The region's median price per m2 of 90 days, times the area, as a log; None without sales."""
    median = around.sales_90d.median
    return None if median is None else median + math.log(listing.area_m2)
