"""A small market in messages: predictions and their sales as the scorer would publish them.

Prices follow a plain rule with noise, so that reports have something to find: a price
shock is a number, a dead feature is one that is None.
"""

import math
import random
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from stream_app.contract.ids import fingerprint
from stream_app.contract.models import Manifest
from stream_app.contract.predictions import Components, Outcome, Prediction, Quality, Versions
from tests import messages
from tests.builders import MARKET as MARKET_OF_TESTS

DAY_MS = 86_400_000
MARKET = MARKET_OF_TESTS
START_MS = 1_400_000_000_000  # 2014-05-13
FEATURE_NAMES = ("home_log_area", "home_bedrooms", "home_region_code", "region_sales_30d")
REGIONS = ("kc-98178", "kc-98103", "kc-98004")
_LEVEL_LOG = {"kc-98178": 7.6, "kc-98103": 8.1, "kc-98004": 8.6}


class Pair(NamedTuple):
    """What was answered, and what came of it."""

    prediction: Prediction
    outcome: Outcome


def manifest(**changes: object) -> Manifest:
    """What the champion of this market would announce."""
    codes = {str(zlib.crc32(region.encode())): level for region, level in _LEVEL_LOG.items()}
    of_this_market = {
        "feature_names": FEATURE_NAMES,
        "encodings": {"home_region_code": codes},
        "encoding_defaults": {"home_region_code": 8.0},
    }
    return messages.manifest(**of_this_market | changes)


def pairs(
    count: int,
    seed: int = 1,
    first: int = 0,
    shock_log: float = 0.0,
    bedrooms_known: bool = True,
    start_ms: int = START_MS,
) -> Iterator[Pair]:
    """Draw `count` homes, ten a day, sold 20 days after their listing.

    `shock_log` is what prices rose by after the models were made.
    """
    draw = random.Random(seed)
    for number in range(first, first + count):
        listed_ms = start_ms + (number - first) * DAY_MS // 10
        yield _pair(draw, number, listed_ms, shock_log, bedrooms_known)


def _pair(
    draw: random.Random, number: int, listed_ms: int, shock_log: float, bedrooms_known: bool
) -> Pair:
    region = REGIONS[draw.randrange(3)]
    area_m2 = math.exp(draw.gauss(4.9, 0.35))
    value_log = _LEVEL_LOG[region] + math.log(area_m2) + draw.gauss(0, 0.12)
    champion_log = value_log + draw.gauss(0, 0.12)
    components = Components(value_log + draw.gauss(0.02, 0.25), champion_log, 0.01, -0.005, 1.0)
    price = math.exp(champion_log + 0.005)
    bedrooms = float(draw.randrange(1, 6)) if bedrooms_known else None
    code = float(zlib.crc32(region.encode()))
    features = (math.log(area_m2), bedrooms, code, float(draw.randrange(5, 60)))
    listing_id = f"home-{number}"
    prediction_id = fingerprint(listing_id)
    prediction = messages.prediction(
        prediction_id=prediction_id,
        event_id=f"listed-{number}",
        listing_id=listing_id,
        region=region,
        event_time_ms=listed_ms,
        source_offset=number,
        price=price,
        price_low=price * 0.8,
        price_high=price * 1.25,
        quality=Quality.OK,
        quality_reasons=(),
        components=components,
        versions=Versions("v1", "c1", "f1"),
        features=features,
    )
    outcome = messages.outcome(
        prediction_id=prediction_id,
        listing_id=listing_id,
        region=region,
        sale_event_id=f"sold-{number}",
        listed_ms=listed_ms,
        sold_ms=listed_ms + 20 * DAY_MS,
        sale_price=math.exp(value_log + shock_log),
        price=price,
        price_low=price * 0.8,
        price_high=price * 1.25,
        area_m2=area_m2,
        components=components,
        versions=Versions("v1", "c1", "f1"),
        features=features,
    )
    return Pair(prediction, outcome)
