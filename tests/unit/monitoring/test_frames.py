"""The archive as frames: by event time, each prediction once, features by name."""

import math
import zlib
from pathlib import Path

import pandas as pd

from monitoring import frames
from monitoring.windows import Window
from stream_app.contract import wire
from stream_app.contract.predictions import Versions
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import MODELS, OUTCOMES, PREDICTIONS
from tests import flow, messages
from tests.unit.monitoring import archives


def predictions(root: Path, market: str, window: Window = frames.ALWAYS) -> pd.DataFrame:
    place = frames.Market(root, archives.PREFIX, market)
    return frames.sampled(place, PREDICTIONS, window, frames.Size(1_000, seed=1)).frame


def test_a_window_holds_its_first_moment_and_not_its_last(tmp_path: Path) -> None:
    values = [messages.prediction(prediction_id=f"p{t}", event_time_ms=t) for t in (9, 10, 19, 20)]
    archives.put(tmp_path, PREDICTIONS, [wire.encode(value) for value in values])

    frame = predictions(tmp_path, flow.MARKET, Window(10, 20))

    assert frame["event_time_ms"].tolist() == [10, 19]


def test_files_outside_of_the_window_are_not_opened(tmp_path: Path) -> None:
    for time_ms in (10, 20):
        value = messages.prediction(prediction_id=f"p{time_ms}", event_time_ms=time_ms)
        archives.put(tmp_path, PREDICTIONS, [wire.encode(value)])
    for path in tmp_path.rglob("*token1*.parquet"):
        path.unlink()

    assert len(predictions(tmp_path, flow.MARKET, Window(0, 15))) == 1


def test_markets_are_apart(tmp_path: Path) -> None:
    archives.put(tmp_path, PREDICTIONS, [wire.encode(messages.prediction(market="hdb"))])

    assert predictions(tmp_path, flow.MARKET).empty
    assert len(predictions(tmp_path, "hdb")) == 1


def test_a_prediction_of_a_topic_filled_again_is_one_row(tmp_path: Path) -> None:
    value = wire.encode(messages.prediction())
    archives.put(tmp_path, PREDICTIONS, [value], topic_id="old")
    archives.put(tmp_path, PREDICTIONS, [value], topic_id="new")

    assert len(predictions(tmp_path, flow.MARKET)) == 1


def test_of_a_corrected_sale_the_last_correction_holds(tmp_path: Path) -> None:
    prices = {0: 100.0, 2: 300.0, 1: 200.0}
    values = [messages.outcome(sale_revision=r, sale_price=p) for r, p in prices.items()]
    archives.put(tmp_path, OUTCOMES, [wire.encode(value) for value in values])

    frame = frames.outcomes(tmp_path, archives.PREFIX, flow.MARKET)

    assert frame["sale_price"].tolist() == [300.0]


def test_an_archive_without_rows_gives_an_empty_frame(tmp_path: Path) -> None:
    assert frames.outcomes(tmp_path, archives.PREFIX, flow.MARKET).empty


def test_features_get_the_names_of_the_manifest_and_null_is_nan(tmp_path: Path) -> None:
    archives.put_pairs(tmp_path, flow.pairs(3, bedrooms_known=False))
    rows = predictions(tmp_path, flow.MARKET)

    named = frames.features(rows, flow.manifest())

    assert tuple(named.columns) == flow.FEATURE_NAMES
    assert named["home_bedrooms"].isna().all()
    assert named["home_log_area"].tolist() == [row[0] for row in rows["features"]]


def test_rows_of_another_feature_set_are_left_out(tmp_path: Path) -> None:
    archives.put_pairs(tmp_path, flow.pairs(3))
    rows = predictions(tmp_path, flow.MARKET)

    assert frames.features(rows, flow.manifest(feature_set="other")).empty
    assert frames.features(pd.DataFrame(), flow.manifest()).empty


def test_the_champion_is_the_one_that_the_alias_names(tmp_path: Path) -> None:
    archives.put_champion(tmp_path, flow.manifest(version="v1"))
    later = messages.champion(manifest=flow.manifest(version="v2"))
    other = messages.alias(market="hdb", version="v2")
    archives.put(tmp_path, MODELS, [wire.encode(later), wire.encode(other), None])

    found = frames.champion(tmp_path, archives.PREFIX, flow.MARKET)

    assert found is not None
    assert found.version == "v1"


def test_there_is_no_champion_before_an_alias(tmp_path: Path) -> None:
    archives.put(tmp_path, MODELS, [wire.encode(messages.champion())])

    assert frames.champion(tmp_path, archives.PREFIX, flow.MARKET) is None


def test_codes_become_texts_where_they_are_known() -> None:
    code = float(zlib.crc32(b"kc-98178"))
    frame = pd.DataFrame({"home_region_code": [code, 5.0, math.nan]})

    named = frames.with_texts(frame, ["home_region_code"], ["kc-98178", "kc-98103"])

    assert named["home_region_code"].tolist() == ["kc-98178", "5", "unknown"]


def test_categories_are_the_encoded_features_and_other_codes() -> None:
    manifest = flow.manifest(feature_names=("a", "home_region_code", "other_code"))

    assert frames.categories(manifest) == ("home_region_code", "other_code")


def test_only_what_a_version_answered_is_taken_and_days_are_counted(tmp_path: Path) -> None:
    values = [
        messages.prediction(
            prediction_id=f"p{n}", event_time_ms=n * DAY_MS, versions=Versions(champion, "c", "f")
        )
        for n, champion in enumerate(("v1", "v2", "v2"))
    ]
    archives.put(tmp_path, PREDICTIONS, [wire.encode(value) for value in values])
    place = frames.Market(tmp_path, archives.PREFIX, flow.MARKET)

    drawn = frames.sampled(place, PREDICTIONS, frames.ALWAYS, frames.Size(9, 1), champion="v2")

    assert drawn.frame["prediction_id"].tolist() == ["p1", "p2"]
    assert frames.rows_by_day(place, PREDICTIONS, "v2") == {1: 1, 2: 1}
    assert frames.rows_by_day(place, PREDICTIONS) == {0: 1, 1: 1, 2: 1}
    assert frames.newest_ms(place, PREDICTIONS) == 2 * DAY_MS
    assert frames.newest_ms(place, OUTCOMES) is None
