"""A candidate is fitted in time order, the same each time, and opens as a scorer opens it."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from offline import level, train
from offline.shape import Shape
from offline.splits import NotEnough
from offline.train import Candidate
from stream_app.contract.spans import DAY_MS
from stream_app.core.features import NAMES
from stream_app.scoring import champion
from tests import champions, sales


@pytest.fixture(scope="module")
def candidate() -> Candidate:
    return train.train(sales.rows(), seed=0, made_ms=1)


def test_a_scorer_opens_what_was_made(candidate: Candidate) -> None:
    announced = champions.sign(candidate.champion.manifest)

    loaded = champion.load(candidate.bundle, announced, champions.TRUSTED_KEY)

    rows = sales.rows().rows
    assert np.array_equal(loaded.predict_log(rows), candidate.champion.predict_log(rows))


def test_the_same_data_make_the_same_bytes(candidate: Candidate) -> None:
    again = train.train(sales.rows(), seed=0, made_ms=2)

    assert again.bundle == candidate.bundle
    assert again.champion.version == candidate.champion.version


def test_other_data_make_another_version(candidate: Candidate) -> None:
    rows = sales.rows()

    fewer = train.train(rows.take(np.arange(len(rows)) > 0), seed=0, made_ms=1)

    assert fewer.champion.version != candidate.champion.version


def test_it_beats_the_regional_median_on_later_homes(candidate: Candidate) -> None:
    metrics = candidate.champion.manifest.metrics

    assert metrics["holdout_mdape"] < 0.06
    assert metrics["holdout_mdape"] < metrics["holdout_naive_mdape"] / 2


def test_the_holdout_errors_are_newest_first(candidate: Candidate) -> None:
    errors = candidate.champion.manifest.holdout_abs_log_errors

    newest = abs(candidate.holdout.log_price[-1] - candidate.holdout_log[-1])
    assert len(errors) == min(len(candidate.holdout), train.HOLDOUT_ERRORS_KEPT)
    assert errors[0] == newest


def test_one_golden_row_is_of_a_home_of_which_nothing_is_known(candidate: Candidate) -> None:
    golden = candidate.champion.manifest.golden_rows

    assert len(golden) == train.GOLDEN_ROWS
    assert golden[-1].features == (None,) * len(NAMES)


def test_the_manifest_goes_over_the_wire_unchanged(candidate: Candidate) -> None:
    manifest = candidate.champion.manifest

    assert msgspec.json.decode(msgspec.json.encode(manifest), type=type(manifest)) == manifest


def test_the_training_rows_are_within_the_declared_scope(candidate: Candidate) -> None:
    limits, rows = candidate.champion.limits, sales.rows()

    assert limits is not None
    assert not any(each.outside or each.unseen for each in limits.marks(rows.rows))
    prices = np.exp(rows.log_price).tolist()
    types = rows.property_type.tolist()
    assert not any(map(limits.beyond, types, prices))


def test_too_few_sales_make_no_model() -> None:
    rows = sales.rows()

    with pytest.raises(NotEnough):
        train.train(rows.take(np.arange(len(rows)) < 50), seed=0, made_ms=1)


SHOCK_LOG = 0.2


def behind_a_shock() -> float:
    """How far a fit across a shock of the newest 50 days is from what homes cost after it."""
    rows = sales.rows()
    rows = replace(rows, rows=rows.rows.copy())
    rows.rows[:, NAMES.index("home_age_years")] = np.nan  # all are of one year: a date by itself
    after = rows.sold_ms >= rows.sold_ms[-1] - 50 * DAY_MS
    shocked = replace(rows, log_price=rows.log_price + SHOCK_LOG * after)
    said = train.fit(shocked, Shape("absolute_error", 31, trees=100), seed=0)
    return float((rows.log_price + SHOCK_LOG - said.predict_log(rows.rows)).mean())


def test_a_fit_across_a_shock_is_at_the_newest_level() -> None:
    assert abs(behind_a_shock()) < 0.3 * SHOCK_LOG


def test_a_fit_at_the_mean_of_all_levels_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level, "moves", lambda residual_log, *_: np.zeros(len(residual_log)))

    assert behind_a_shock() > 0.5 * SHOCK_LOG


def test_prices_that_a_row_shows_move_with_its_own() -> None:
    rows = sales.rows()
    shown = rows.rows[:, [NAMES.index(name) for name in train.PRICED]]

    at_newest = train.at_newest_level(rows)

    moved = (at_newest.log_price - rows.log_price)[:, np.newaxis]
    now = at_newest.rows[:, [NAMES.index(name) for name in train.PRICED]]
    assert "street_ppm2_mean_5" in train.PRICED
    assert np.array_equal(now, shown + moved, equal_nan=True)
