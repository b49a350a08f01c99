"""Sales of a market of tests, and a market that was given some."""

import random
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from monitoring.evidence import Market, Sale
from stream_app.contract.spans import DAY_MS
from tests import messages
from tests.builders import MARKET

DAYS_FROM = 16_000  # 2013-10-22, a Tuesday
PER_DAY = 20
TRAINED_MS = (DAYS_FROM - 1) * DAY_MS
ANNOUNCED_MS = 1_763_700_000_000  # by the clock, 2025-11-21


def sales(
    count: int,
    by: str | None = "v1",
    *,
    day: int = 0,
    spread: float = 0.1,
    shift_log: float = 0.0,
    seed: int = 1,
) -> Iterator[Sale]:
    """Sales of homes that one version answered, twenty a day from this day on."""
    draw = random.Random(seed)
    for n in range(count):
        error_log = draw.gauss(shift_log, spread)
        sold_ms = (DAYS_FROM + day + n // PER_DAY) * DAY_MS + n % PER_DAY
        yield Sale(MARKET, "kc-98103", sold_ms, ANNOUNCED_MS + n + 1, by, error_log, by, error_log)


def promote(market: Market, version: str, at_ms: int = ANNOUNCED_MS, **of_it: object) -> None:
    """Announce a champion, and make it the one."""
    told = {"version": version, "trained_to_ms": TRAINED_MS} | of_it
    announced = messages.champion(manifest=messages.manifest(**told))
    market.take_model(announced, at_ms)
    market.take_model(messages.alias(version=version), at_ms)


def with_champion(*given: Iterable[Sale]) -> Market:
    """A market with champion v1 that was given these sales."""
    market = Market(MARKET)
    promote(market, "v1")
    for sale in (sale for some in given for sale in some):
        market.take_sale(sale)
    return market


def later(given: Iterable[Sale], by_ms: int) -> Iterator[Sale]:
    """The same, appended later."""
    return (replace(sale, appended_ms=sale.appended_ms + by_ms) for sale in given)
