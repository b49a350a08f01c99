"""What a model sees of a listing: one row of numbers, in one fixed order.

Not here: what the numbers are encoded to for a certain model (its manifest says
so: scoring/champion.py).

Every feature is known when the listing is: windows hold only what happened
before, and never the sale of the home itself. Unknown is NaN (null on the wire),
never 0. The asking price is no feature: the sources at hand do not publish it.
"""

import math
import zlib
from collections.abc import Callable
from typing import NamedTuple

from stream_app.contract.events import Listing
from stream_app.contract.ids import fingerprint
from stream_app.contract.markets import MARKETS
from stream_app.contract.spans import DAY_MS
from stream_app.core import windows
from stream_app.core.region import DAYS, HOURS, Region
from stream_app.core.windows import Summary

YEAR_DAYS = 365.2425
EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG
NAN = math.nan


class Feature(NamedTuple):
    """One column: what it is and in what unit."""

    name: str
    unit: str
    meaning: str


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


def look_around(region: Region, at_ms: int) -> Around:
    """Ask the region's windows, each at `at_ms`; call it before the listing is counted."""
    (sales_24h,) = windows.count(HOURS, region.sales_hours, at_ms, (24,))
    (listings_24h,) = windows.count(HOURS, region.listings_hours, at_ms, (24,))
    listings_7d, listings_30d = windows.count(DAYS, region.listings_days, at_ms, (7, 30))
    week, month, quarter = windows.summarise(DAYS, region.sales_days, at_ms, (7, 30, 90))
    age = (at_ms - region.last_sale_ms) / DAY_MS if region.last_sale_ms else NAN
    return Around(
        sales_24h, listings_24h, listings_7d, listings_30d, week, month, quarter, max(age, 0.0)
    )


def code(text: str | None) -> float:
    """Number for a name; exact in a double, the same everywhere. NaN for none.

    >>> code("improved"), code(None)
    (2847620774.0, nan)
    """
    return NAN if text is None else float(zlib.crc32(text.encode()))


def _or_nan(value: float | None) -> float:
    return NAN if value is None else float(value)


def _log(value: float | None) -> float:
    return math.log(value) if value is not None and value > 0 else NAN


def _less(value: float | None, other: float | None) -> float:
    return NAN if value is None or other is None else value - other


def _year(event_time_ms: int) -> float:
    return 1970 + event_time_ms / DAY_MS / YEAR_DAYS


def _season(event_time_ms: int) -> float:
    """Angle of the day in the year, radians."""
    return 2 * math.pi * (event_time_ms / DAY_MS / YEAR_DAYS % 1)


def distance_km(
    latitude: float, longitude: float, to_latitude: float, to_longitude: float
) -> float:
    """Great-circle distance by the haversine formula; degrees in, kilometres out.

    >>> round(distance_km(0.0, 0.0, 0.0, 1.0), 1)
    111.2
    """
    half_phi = math.radians(to_latitude - latitude) / 2
    half_lambda = math.radians(to_longitude - longitude) / 2
    chord = (
        math.sin(half_phi) ** 2
        + math.cos(math.radians(latitude))
        * math.cos(math.radians(to_latitude))
        * math.sin(half_lambda) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(chord)))


def _to_centre_km(e: Listing) -> float:
    market = MARKETS.get(e.market)
    if market is None or e.latitude is None or e.longitude is None:
        return NAN
    return distance_km(e.latitude, e.longitude, market.centre_latitude, market.centre_longitude)


Value = Callable[[Listing, Around], float]

_COLUMNS: tuple[tuple[Feature, Value], ...] = (
    (Feature("home_log_area", "log m2", "living area"), lambda e, a: _log(e.area_m2)),
    (Feature("home_type_code", "code", "property type"), lambda e, a: code(e.property_type)),
    (Feature("home_model_code", "code", "building design"), lambda e, a: code(e.model)),
    (Feature("home_street_code", "code", "street"), lambda e, a: code(e.street)),
    (Feature("home_region_code", "code", "region"), lambda e, a: code(e.region)),
    (Feature("home_bedrooms", "number", "bedrooms"), lambda e, a: _or_nan(e.bedrooms)),
    (Feature("home_bathrooms", "number", "bathrooms"), lambda e, a: _or_nan(e.bathrooms)),
    (Feature("home_storeys", "number", "levels inside"), lambda e, a: _or_nan(e.storeys)),
    (Feature("home_floor", "number", "storey of the flat"), lambda e, a: _or_nan(e.floor)),
    (
        Feature("home_age_years", "years", "since completion, at the event"),
        lambda e, a: _less(_year(e.event_time_ms), e.built_year),
    ),
    (
        Feature("home_renovated_years", "years", "since renovation; unknown or never is null"),
        lambda e, a: _less(_year(e.event_time_ms), e.renovated_year),
    ),
    (
        Feature("home_lease_years", "years", "lease left"),
        lambda e, a: _or_nan(e.lease_remaining_years),
    ),
    (Feature("home_condition", "1 to 5", "condition"), lambda e, a: _or_nan(e.condition)),
    (Feature("home_grade", "1 to 13", "construction quality"), lambda e, a: _or_nan(e.grade)),
    (Feature("home_view", "0 to 4", "view"), lambda e, a: _or_nan(e.view)),
    (Feature("home_waterfront", "0 or 1", "open water"), lambda e, a: _or_nan(e.waterfront)),
    (Feature("home_log_lot", "log m2", "land area"), lambda e, a: _log(e.lot_m2)),
    (Feature("home_basement_m2", "m2", "basement"), lambda e, a: _or_nan(e.basement_m2)),
    (
        Feature("home_log_neighbour_area", "log m2", "mean living area of the 15 nearest homes"),
        lambda e, a: _log(e.neighbour_area_m2),
    ),
    (
        Feature("home_log_neighbour_lot", "log m2", "mean land area of the 15 nearest homes"),
        lambda e, a: _log(e.neighbour_lot_m2),
    ),
    (Feature("home_latitude", "degrees", "north"), lambda e, a: _or_nan(e.latitude)),
    (Feature("home_longitude", "degrees", "east"), lambda e, a: _or_nan(e.longitude)),
    (
        Feature("home_centre_km", "km", "distance to the market's centre"),
        lambda e, a: _to_centre_km(e),
    ),
    (
        Feature("season_sin", "-1 to 1", "sine of the day in the year"),
        lambda e, a: math.sin(_season(e.event_time_ms)),
    ),
    (
        Feature("season_cos", "-1 to 1", "cosine of the day in the year"),
        lambda e, a: math.cos(_season(e.event_time_ms)),
    ),
    (Feature("region_sales_24h", "number", "sales in 24 h"), lambda e, a: float(a.sales_24h)),
    (
        Feature("region_listings_24h", "number", "listings in 24 h"),
        lambda e, a: float(a.listings_24h),
    ),
    (Feature("region_listings_7d", "number", "in 7 days"), lambda e, a: float(a.listings_7d)),
    (Feature("region_listings_30d", "number", "in 30 days"), lambda e, a: float(a.listings_30d)),
    (Feature("region_sales_7d", "number", "in 7 days"), lambda e, a: float(a.sales_7d.count)),
    (Feature("region_sales_30d", "number", "in 30 days"), lambda e, a: float(a.sales_30d.count)),
    (Feature("region_sales_90d", "number", "in 90 days"), lambda e, a: float(a.sales_90d.count)),
    (
        Feature("region_ppm2_median_7d", "log price/m2", "median of the sales in 7 days"),
        lambda e, a: _or_nan(a.sales_7d.median),
    ),
    (
        Feature("region_ppm2_median_30d", "log price/m2", "median of the sales in 30 days"),
        lambda e, a: _or_nan(a.sales_30d.median),
    ),
    (
        Feature("region_ppm2_median_90d", "log price/m2", "median of the sales in 90 days"),
        lambda e, a: _or_nan(a.sales_90d.median),
    ),
    (
        Feature("region_ppm2_mean_30d", "log price/m2", "mean of the sales in 30 days"),
        lambda e, a: _or_nan(a.sales_30d.mean),
    ),
    (
        Feature("region_ppm2_mean_90d", "log price/m2", "mean of the sales in 90 days"),
        lambda e, a: _or_nan(a.sales_90d.mean),
    ),
    (
        Feature("region_ppm2_deviation_90d", "log units", "spread of the sales in 90 days"),
        lambda e, a: _or_nan(a.sales_90d.deviation),
    ),
    (
        Feature("region_ppm2_trend_30d", "log units", "mean of 30 days less that of 90"),
        lambda e, a: _less(a.sales_30d.mean, a.sales_90d.mean),
    ),
    (
        Feature("region_sale_age_days", "days", "since the newest sale"),
        lambda e, a: a.sale_age_days,
    ),
)

FEATURES: tuple[Feature, ...] = tuple(feature for feature, _ in _COLUMNS)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
# Numbers that stand for a name; a champion's manifest says what it makes of them.
CATEGORICAL: tuple[str, ...] = tuple(f.name for f in FEATURES if f.unit == "code")
FEATURE_SET: str = fingerprint(*NAMES)
_VALUES: tuple[Value, ...] = tuple(value for _, value in _COLUMNS)


def row(listing: Listing, around: Around) -> tuple[float, ...]:
    """The listing's feature row, in the order of `NAMES`; NaN is unknown."""
    return tuple([value(listing, around) for value in _VALUES])


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
