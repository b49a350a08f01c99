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


MARKETS: Mapping[str, Market] = MappingProxyType(
    {
        market.name: market
        for market in (
            Market("king-county", "USD"),
            Market("hdb", "SGD"),
        )
    }
)
