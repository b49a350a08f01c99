"""The life of a market as records, without end and in order of arrival; the seed says which.

Homes come on the market, are amended, sold, corrected, withdrawn and erased; events come
twice, late, before their listing, under wrong keys, or are no events at all.
"""

import heapq
import random
from collections.abc import Iterator
from typing import NamedTuple

from stream_app.contract.events import AnyEvent
from tests import builders
from tests.builders import DAY_MS, HOUR_MS, LISTED_MS
from tests.chaos import hostile
from tests.chaos.hostile import Payload

MARKETS = ("king-county", "hdb")
_HDB_REGIONS = tuple(f"hdb-{number}" for number in range(12))
_SPAN_MS = 420 * DAY_MS  # event time that a run of the size asked for covers
_EVENTS_PER_HOME = 2.1


class Home(NamedTuple):
    number: int
    listed_ms: int


def traffic(seed: int, events: int) -> Iterator[Payload]:
    """Give records for ever; about `events` of them cover `_SPAN_MS`."""
    draw = random.Random(seed)
    step_ms = _SPAN_MS / max(1.0, events / _EVENTS_PER_HOME)
    coming: list[tuple[int, int, Payload]] = []  # arrival, tie-break, record
    sent = 0
    number = 0
    while True:
        home = Home(number, LISTED_MS + int(number * step_ms))
        for arrival_ms, payload in _life(home, draw):
            heapq.heappush(coming, (arrival_ms, sent, payload))
            sent += 1
        while coming and coming[0][0] <= home.listed_ms:
            yield heapq.heappop(coming)[2]
            if draw.random() < 0.015:
                yield hostile.draw_one(draw)
        number += 1


def _life(home: Home, draw: random.Random) -> Iterator[tuple[int, Payload]]:
    for event in _events(home, draw):
        delay_ms = int(draw.uniform(0, 12 * HOUR_MS))
        if draw.random() < 0.02:
            delay_ms += int(draw.uniform(2, 12) * DAY_MS)
        arrival_ms = max(event.event_time_ms, home.listed_ms) + delay_ms
        payload = Payload(_key(event, draw), builders.raw(event))
        yield arrival_ms, payload
        if draw.random() < 0.03:
            yield arrival_ms + int(draw.choice((0, 1, 30)) * HOUR_MS), payload


def _key(event: AnyEvent, draw: random.Random) -> bytes:
    return b"elsewhere" if draw.random() < 0.003 else event.region.encode()


def _events(home: Home, draw: random.Random) -> Iterator[AnyEvent]:
    """What befalls one home; not in order of time."""
    number, listed_ms = home
    market = draw.choices(MARKETS, (7, 3))[0]
    region = draw.choice(hostile.REGIONS if market == MARKETS[0] else _HDB_REGIONS)
    common: dict[str, object] = {
        "market": market,
        "region": region,
        "listing_id": f"{market}-{number}",
        "source": f"agency-{number % 5}",
    }
    make = builders.listing if market == MARKETS[0] else builders.flat
    facts = common | {"area_m2": round(draw.uniform(40, 400), 1)}
    fate = draw.random()
    sold_ms = listed_ms + int(draw.uniform(1, 60) * DAY_MS)
    if fate > 0.01:  # else its sale is an orphan
        yield make(event_time_ms=listed_ms, **facts)
    if draw.random() < 0.12:
        asked = {"asking_price": round(draw.uniform(2e5, 1e6))}
        yield make(revision=1, event_time_ms=(listed_ms + sold_ms) // 2, **facts, **asked)
    if draw.random() < 0.005:  # another id for the same: a conflict
        yield make(event_id=f"other-{number}", event_time_ms=listed_ms, **facts)
    price = round(draw.lognormvariate(13.0, 0.4), 2)
    if fate < 0.77:
        at_ms = sold_ms if draw.random() > 0.01 else listed_ms - DAY_MS
        yield builders.sale(event_time_ms=at_ms, sale_price=price, **common)
        if draw.random() < 0.05:
            corrected_ms = sold_ms + int(draw.uniform(-1, 60) * DAY_MS)
            yield builders.correction(
                event_time_ms=max(sold_ms, corrected_ms), sale_price=price * 1.1, **common
            )
    elif fate < 0.87:
        yield builders.withdrawal(event_time_ms=sold_ms, **common)
    if draw.random() < 0.01:
        yield builders.erasure(event_time_ms=sold_ms + 70 * DAY_MS, **common)
