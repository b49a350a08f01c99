"""House prices with Quix Streams, as its documentation writes such a thing.

docs: quix.io/docs/quix-streams, "Windowing" (event time by a timestamp extractor, a tumbling
window with aggregations, `current()`), "Processing & Transforming Data", "Configuration"
(`processing_guarantee`). A prediction for each listing with the same estimator that ours has.
Tumbling, which updates one window for an event, and not hopping, which would update 30; no
online model, no interval, no reasons.
"""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import quixstreams.dataframe.windows.aggregations as agg
import skops.io
from quixstreams import Application

HOME = (
    *("area_m2", "lot_m2", "bedrooms", "bathrooms", "storeys", "built_year"),
    *("condition", "grade", "view", "latitude", "longitude"),
)
COLUMNS = json.loads(Path(os.environ["BENCH_FEATURES"]).read_text())
champion = skops.io.load(
    os.environ["BENCH_MODEL"],
    trusted=["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"],
)


def event_time_ms(event: dict[str, Any], *_: object) -> int:
    return int(event["event_time_ms"])


def priced(window: dict[str, Any]) -> dict[str, Any]:
    """What goes out for a listing: the home, how busy its region is, the price."""
    event = window["event"]
    features = {f"home_{name}": float(event.get(name) or 0.0) for name in HOME}
    features["region_sales_30d"] = window["sales"]
    row = np.array([[features.get(name, np.nan) for name in COLUMNS]])
    log_price = float(champion.predict(row)[0])
    return {
        "listing_id": event["listing_id"],
        "region": event["region"],
        "price": float(np.exp(log_price)),
        "features": features,
    }


app = Application(
    broker_address=os.environ["BENCH_BROKERS"],
    consumer_group=os.environ["BENCH_GROUP"],
    auto_offset_reset="earliest",
    processing_guarantee="exactly-once" if "exactly-once" in sys.argv else "at-least-once",
    commit_interval=1.0,  # 5 s by itself; once a second, so that progress can be seen
    state_dir=os.environ["BENCH_STATE"],
    loglevel="WARNING",
)
events = app.topic(
    os.environ["BENCH_EVENTS"], value_deserializer="json", timestamp_extractor=event_time_ms
)
output = app.topic(os.environ["BENCH_OUTPUT"], value_serializer="json")

sdf = app.dataframe(events)
sdf["sold"] = sdf["kind"] == "sale"
sdf = (
    sdf.tumbling_window(timedelta(days=30), grace_ms=timedelta(days=1))
    .agg(sales=agg.Sum("sold"), event=agg.Latest())
    .current()
)
sdf = sdf[sdf["event"]["kind"] == "listing"].apply(priced)
sdf.to_topic(output)

if __name__ == "__main__":
    app.run()
