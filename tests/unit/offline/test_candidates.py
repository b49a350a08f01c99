"""Each kind of model is fitted to the rows to train on, and to nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from offline import candidates, splits
from offline.candidates import KINDS, Clip, Kind
from offline.dataset import Dataset
from stream_app.core.features import NAMES
from tests import sales

QUICK = ("dummy", "naive", "ridge", "elastic_net", "svr")


def halves() -> tuple[Dataset, Dataset]:
    split = splits.forward(sales.rows())
    return sales.rows().take(split.older), sales.rows().take(split.newer)


def with_places(given: Dataset) -> Dataset:
    """Homes at places that cost more to the north."""
    rows = given.rows.copy()
    rows[:, NAMES.index("home_latitude")] = 47 + given.log_price / 100
    rows[:, NAMES.index("home_longitude")] = -122.3
    return replace(given, rows=rows)


def error(kind: Kind, older: Dataset, newer: Dataset) -> float:
    said = kind.fit(older, 0).predict_log(newer.rows)
    return float(np.nanmean(np.abs(said - newer.log_price)))


@pytest.mark.parametrize("name", ["ridge", "elastic_net", "svr"])
def test_what_learns_beats_one_price_for_all(name: str) -> None:
    older, newer = halves()

    assert error(KINDS[name], older, newer) < error(KINDS["dummy"], older, newer) / 2


def test_the_naive_price_is_what_is_served_without_a_champion() -> None:
    older, newer = halves()

    said = KINDS["naive"].fit(older, 0).predict_log(newer.rows)

    assert np.allclose(said, newer.naive_log, equal_nan=True)


@pytest.mark.parametrize("name", QUICK)
def test_later_homes_change_nothing_of_what_was_fitted(name: str) -> None:
    older, newer = halves()
    fitted = KINDS[name].fit(older, 0)
    before = fitted.predict_log(newer.rows)

    fitted.predict_log(newer.rows + 1_000)

    assert np.array_equal(fitted.predict_log(newer.rows), before, equal_nan=True)


@pytest.mark.parametrize("name", QUICK)
def test_what_the_champion_does_not_read_is_read_by_no_other(name: str) -> None:
    older, newer = halves()
    fitted = KINDS[name].fit(older, 0)
    other = newer.rows.copy()
    other[:, NAMES.index("season_sin")] = 1e6

    assert np.array_equal(fitted.predict_log(other), fitted.predict_log(newer.rows), equal_nan=True)


def test_places_are_clustered_where_they_are_known() -> None:
    older, newer = map(with_places, halves())

    preparation = KINDS["ridge"].fit(older, 0).regressor.steps[0][1]  # type: ignore[attr-defined]

    assert "place" in preparation.named_transformers_
    assert error(KINDS["ridge"], older, newer) < 0.1


def test_a_number_is_clipped_to_where_most_of_the_rows_trained_on_lie() -> None:
    rows = np.vstack([np.arange(101.0), np.zeros(101)]).T
    rows[100, 1] = 1.0  # rare, as a water front

    clipped = Clip().fit(rows).transform(np.array([[1e9, 1.0], [np.nan, -5.0]]))

    assert clipped[0].tolist() == [99.0, 1.0]
    assert np.isnan(clipped[1, 0])
    assert clipped[1, 1] == 0.0


def test_rows_are_drawn_by_the_seed() -> None:
    first, again, other = (candidates._drawn(sales.rows(), 50, seed) for seed in (1, 1, 2))

    assert len(first) == 50
    assert first.listing_id.tolist() == again.listing_id.tolist() != other.listing_id.tolist()
