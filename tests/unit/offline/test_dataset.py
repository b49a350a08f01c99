"""What is trained on is what the scorer would have served."""

import math

import numpy as np

from offline import dataset
from stream_app.contract import topics, wire
from stream_app.contract.events import AnyEvent
from stream_app.core.features import NAMES
from stream_app.stages import scorer
from tests import builders, replay, sales


def test_rows_are_the_features_that_were_served() -> None:
    given = sales.events(60)
    served = {
        prediction.listing_id: prediction.features
        for output in replay.run(scorer.advance, [replay.records(given)], {}).outputs
        if output.topic is topics.PREDICTIONS
        for prediction in [wire.decode_prediction(output.value or b"")]
    }

    rows = dataset.collect([sales.partition(given)], sales.MARKET, sales.ENDED_MS)

    assert len(rows) == 60
    for listing, row in zip(rows.listing_id, rows.rows, strict=True):
        wanted = np.array(served[listing], dtype=np.float64)
        assert np.array_equal(row, wanted, equal_nan=True)


def test_what_happens_later_is_not_known() -> None:
    given = sales.events(60)
    before_ms = sales.BEGAN_MS + 100 * builders.DAY_MS

    rows = dataset.collect([sales.partition(given)], sales.MARKET, before_ms)

    assert 0 < len(rows) < 60
    assert rows.sold_ms.max() < before_ms


def test_another_market_is_left_out() -> None:
    rows = dataset.collect([sales.partition(sales.events(10))], "hdb", sales.ENDED_MS)

    assert len(rows) == 0
    assert rows.rows.shape == (0, len(NAMES))


def test_a_corrected_price_takes_the_place_of_the_first() -> None:
    given: list[AnyEvent] = [
        builders.listing(),
        builders.sale(),
        builders.correction(sale_price=229_100.0),
    ]

    rows = dataset.collect([sales.partition(given)], sales.MARKET, 2**52)

    assert rows.log_price.tolist() == [math.log(229_100.0)]
    assert rows.home_id.tolist() == ["kc-7129300520"]


def test_events_are_counted_by_what_became_of_them() -> None:
    given: list[AnyEvent] = [
        builders.listing(),
        builders.listing(listing_id="x", area_m2=-1.0),
        builders.sale(),
    ]

    rows = dataset.collect([sales.partition(given)], sales.MARKET, 2**52)

    assert rows.counts == {"listing:scored": 1, "rejected:area": 1, "sale:joined": 1}


def test_the_hash_follows_the_rows() -> None:
    all_rows = sales.rows()
    but_one = all_rows.take(np.arange(len(all_rows)) > 0)

    assert dataset.sha256(all_rows) == dataset.sha256(sales.rows())
    assert dataset.sha256(but_one) != dataset.sha256(all_rows)


def test_progress_is_told_after_each_batch() -> None:
    told: list[int] = []

    dataset.collect([sales.partition(sales.events(400))], sales.MARKET, 2**52, told.append)

    assert told == [500, 800]
