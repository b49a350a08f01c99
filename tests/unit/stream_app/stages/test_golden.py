"""A small fixed log, and what was said to it when this was written.

Not to the bit: the last digits of log and exp are the C library's. A change of a
figure here is a change of what consumers read; the changelog says so.
"""

import math

import pytest

from stream_app.contract.events import AnyEvent
from stream_app.contract.predictions import Prediction
from stream_app.stages import scorer
from stream_app.stages.step import Serving, read_control
from tests import replay
from tests.builders import DAY_MS, LISTED_MS, MARKET, listing, sale
from tests.fakes.champion import FakeChampion
from tests.replay import Ran

# Days after LISTED_MS, days on the market, area in m2, grade, price.
HOMES = (
    (0, 10, 110.0, 7, 221_900.0),
    (2, 5, 180.0, 8, 538_000.0),
    (3, 40, 72.0, 6, 180_000.0),
    (9, 12, 182.0, 7, 604_000.0),
    (15, 20, 156.0, 8, 510_000.0),
    (30, 9, 503.0, 11, 1_225_000.0),
    (45, 30, 159.0, None, 257_500.0),
    (90, 1, 98.0, 7, 291_850.0),
)
# Price, its interval, and the log of the regional median.
PREDICTIONS: tuple[tuple[float, ...], ...] = (
    (171_181.6181, 114_746.4701, 255_372.9656, math.nan),
    (294_477.1974, 197_393.9685, 439_308.3560, math.nan),
    (106_581.5948, 71_443.7795, 159_001.0554, math.nan),
    (286_074.2545, 167_675.8099, 488_075.6450, 13.209006687),
    (257_359.9517, 151_274.3948, 437_841.0823, 12.654856007),
    (978_889.1373, 510_242.7513, 1_877_976.5920, 14.225590170),
    (264_941.5904, 127_437.9430, 550_809.6307, 12.893904202),
    (163_383.1048, 83_271.5192, 320_566.2537, 12.409967479),
)


def replayed() -> Ran:
    log: list[AnyEvent] = []
    for number, (day, days, area_m2, grade, price) in enumerate(HOMES):
        listed_ms = LISTED_MS + day * DAY_MS
        name = f"home-{number}"
        log.append(listing(listing_id=name, event_time_ms=listed_ms, area_m2=area_m2, grade=grade))
        log.append(sale(listing_id=name, event_time_ms=listed_ms + days * DAY_MS, sale_price=price))
    log.sort(key=lambda event: event.event_time_ms)
    serving = {MARKET: Serving(FakeChampion())}
    return replay.run(scorer.advance, replay.cut(replay.records(log), [3, 3, 3, 3]), serving)


def figures(said: Prediction) -> tuple[float, ...]:
    """Price, its ends, and the log of the regional median; NaN where there is none."""
    told = (said.price, said.price_low, said.price_high, said.components.naive_log)
    return tuple(math.nan if figure is None else figure for figure in told)


def test_a_fixed_log_is_answered_as_ever() -> None:
    said = [figures(each) for each in replay.predictions(replayed().outputs)]

    assert len(said) == len(PREDICTIONS)
    for got, wanted in zip(said, PREDICTIONS, strict=True):
        assert got == pytest.approx(wanted, rel=1e-7, nan_ok=True)


def test_a_fixed_log_is_counted_as_ever() -> None:
    control = read_control(replayed().state)

    assert control is not None
    assert control.counts == {"listing:scored": 8, "sale:joined": 8}
