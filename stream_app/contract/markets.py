"""The markets served. Currency is a property of the market; nothing is converted.

A new market is a row here and a source in `producers/sources`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


class Market(Struct, frozen=True):
    """One market: all regions whose prices share a currency and a price level."""

    name: str
    currency: str  # ISO 4217
    centre_latitude: float  # degrees north, of the place that distances are taken from
    centre_longitude: float  # degrees east


MARKETS: Mapping[str, Market] = MappingProxyType(
    {
        market.name: market
        for market in (
            # Seattle, 4th Avenue and Pike Street.
            Market("king-county", "USD", 47.6105, -122.3365),
            # Singapore, Raffles Place.
            Market("hdb", "SGD", 1.2840, 103.8515),
        )
    }
)
