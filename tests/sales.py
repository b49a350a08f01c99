"""A small market with known prices, as canonical events: for tests of whoever learns from it."""

import math
from functools import cache

import numpy as np

from offline import dataset, log
from offline.dataset import Dataset
from stream_app.contract.events import AnyEvent
from tests import builders
from tests.builders import DAY_MS

BEGAN_MS = builders.LISTED_MS
HOMES = 1_200
SPAN_DAYS = 300
SOLD_AFTER_DAYS = 20
ENDED_MS = BEGAN_MS + (SPAN_DAYS + SOLD_AFTER_DAYS + 1) * DAY_MS
MARKET = builders.MARKET


def log_price(area_m2: float, grade: int) -> float:
    """What a home is worth here, but for noise."""
    return 8.0 + math.log(area_m2) + 0.1 * grade


def events(homes: int = HOMES) -> list[AnyEvent]:
    """Listings and their sales, in the order of event time."""
    generator = np.random.default_rng(1)
    found: list[AnyEvent] = []
    for place in range(homes):
        area_m2 = float(generator.uniform(50, 250))
        grade = int(generator.integers(4, 11))
        listed_ms = BEGAN_MS + place * SPAN_DAYS * DAY_MS // homes
        who = {"listing_id": f"kc-{place}", "region": f"kc-{place % 3}"}
        found.append(
            builders.listing(
                **who,
                event_time_ms=listed_ms,
                area_m2=area_m2,
                grade=grade,
                home_id=f"home-{place}",
            )
        )
        price = math.exp(log_price(area_m2, grade) + generator.normal(0, 0.05))
        sold_ms = listed_ms + SOLD_AFTER_DAYS * DAY_MS
        found.append(builders.sale(**who, event_time_ms=sold_ms, sale_price=round(price)))
    return sorted(found, key=lambda event: event.event_time_ms)


def partition(given: list[AnyEvent]) -> log.Partition:
    return log.of_lines(map(builders.raw, given))


@cache
def rows() -> Dataset:
    """The data set of all events."""
    return dataset.collect([partition(events())], MARKET, ENDED_MS)
