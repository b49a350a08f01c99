"""House prices with Faust, as its documentation and common examples write such a thing.

docs: faust-streaming.github.io, "User Guide: Models, Serialization", "Tables and Windowing"
(hopping tables, relative to a time of the event), "Agents". A prediction for each listing with the same
estimator that ours has, a River model that learns the champion's error at each sale. A listing
updates four windows and a sale four or five, of which each is a record of a changelog; as fine as
ours they would be 24 and 30. At least once; no interval, no reasons.
"""

import json
import os
from collections.abc import AsyncIterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import faust
import numpy as np
import skops.io
from river import linear_model, preprocessing

app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['BENCH_BROKERS']}",
    broker_commit_interval=1.0,  # 2.8 s by itself; once a second, so that progress can be seen
    topic_partitions=4,  # tables are partitioned as the events
    topic_disable_leader=True,
)


class HomeEvent(faust.Record, serializer="json"):  # type: ignore[call-arg]
    kind: str
    event_time_ms: int
    region: str
    listing_id: str
    area_m2: float | None = None
    lot_m2: float | None = None
    bedrooms: int | None = None
    bathrooms: float | None = None
    storeys: float | None = None
    built_year: int | None = None
    condition: int | None = None
    grade: int | None = None
    view: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    sale_price: float | None = None


class Price(faust.Record, serializer="json"):  # type: ignore[call-arg]
    listing_id: str
    region: str
    price: float
    champion_log: float
    correction_log: float


HOME = (
    *("area_m2", "lot_m2", "bedrooms", "bathrooms", "storeys", "built_year"),
    *("condition", "grade", "view", "latitude", "longitude"),
)
COLUMNS = json.loads(Path(os.environ["BENCH_FEATURES"]).read_text())
champion = skops.io.load(
    os.environ["BENCH_MODEL"],
    trusted=["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"],
)
corrector = preprocessing.StandardScaler() | linear_model.LinearRegression()

events = app.topic(os.environ["BENCH_EVENTS"], key_type=str, value_type=HomeEvent)
prices = app.topic(os.environ["BENCH_OUTPUT"], key_type=str, value_type=Price)


def event_time_s(event: Any) -> float:  # noqa: ANN401 - untyped library
    return float(event.value.event_time_ms / 1000)


listed_24h = (
    app.Table("listed_24h", default=int)
    .hopping(timedelta(hours=24), step=timedelta(hours=6), expires=timedelta(days=2))
    .relative_to(event_time_s)
)
sold_30d = (
    app.Table("sold_30d", default=int)
    .hopping(timedelta(days=30), step=timedelta(days=7), expires=timedelta(days=31))
    .relative_to(event_time_s)
)
served = app.Table("served", default=dict)


def features_of(event: HomeEvent) -> dict[str, float]:
    """What the models look at: the home, and how busy its region is."""
    home = {f"home_{name}": float(getattr(event, name) or 0.0) for name in HOME}
    return {
        **home,
        "region_listings_24h": float(listed_24h[event.region].value()),
        "region_sales_30d": float(sold_30d[event.region].value()),
    }


def champion_log(features: dict[str, float]) -> float:
    row = np.array([[features.get(name, np.nan) for name in COLUMNS]])
    return float(champion.predict(row)[0])


@app.agent(events)
async def price(stream: AsyncIterable[Any]) -> None:
    async for event in stream:
        if event.kind == "listing":
            listed_24h[event.region] += 1
            features = features_of(event)
            log_price = champion_log(features)
            correction = corrector.predict_one(features)
            served[event.listing_id] = {"features": features, "log_price": log_price}
            await prices.send(
                key=event.listing_id,
                value=Price(
                    listing_id=event.listing_id,
                    region=event.region,
                    price=float(np.exp(log_price + correction)),
                    champion_log=log_price,
                    correction_log=correction,
                ),
            )
        elif event.kind == "sale":
            sold_30d[event.region] += 1
            before = served.get(event.listing_id)
            if before:
                error = float(np.log(event.sale_price)) - before["log_price"]
                corrector.learn_one(before["features"], error)


if __name__ == "__main__":
    app.main()
