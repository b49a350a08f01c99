"""A forest says to the bit what scikit-learn's own `predict` does, whatever rows come together."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from stream_app.scoring.forest import WORD_LEAVES, Forest, Words

FEATURES = 6
# Fewer than a word has, as many, more than two words have.
LEAVES = (2, 31, WORD_LEAVES, 150)
ROWS = 300
BATCHES = (1, 7, 64, 65, ROWS)


def rows(generator: np.random.Generator) -> NDArray[np.float64]:
    """Measured, counted and constant features; each is now and then unknown."""
    made = generator.normal(0, 1, (ROWS, FEATURES))
    made[:, 1] = generator.integers(0, 4, ROWS)
    made[:, 2] = 1.0
    made[generator.random(made.shape) < 0.15] = np.nan
    return made


@cache
def fitted(seed: int, leaves: int) -> HistGradientBoostingRegressor:
    generator = np.random.default_rng(seed)
    given = rows(generator)
    target = 12 + np.nan_to_num(given, nan=2.0).sum(axis=1) + generator.normal(0, 1, ROWS)
    with threadpool_limits(limits=1, user_api="openmp"):
        return HistGradientBoostingRegressor(
            max_iter=20, max_leaf_nodes=leaves, min_samples_leaf=1, early_stopping=False
        ).fit(given, target)


def on_thresholds(
    model: HistGradientBoostingRegressor, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Rows of values at which some tree parts its rows, and of those that are none."""
    found = np.concatenate([tree.nodes["num_threshold"] for (tree,) in model._predictors])
    odd = [np.nan, np.inf, -np.inf, 0.0]
    return generator.choice(np.concatenate([found, odd]), (ROWS, FEATURES))


def check_law(made: type[Forest]) -> None:
    for seed, leaves in enumerate(LEAVES):
        generator, model = np.random.default_rng(100 + seed), fitted(seed, leaves)
        forest = made(model)
        for asked in (rows(generator), on_thresholds(model, generator)):
            with threadpool_limits(limits=1, user_api="openmp"):
                wanted = model._raw_predict(asked)[:, 0]  # `predict` refuses infinity
            for size in BATCHES:
                pieces = [asked[at : at + size] for at in range(0, ROWS, size)]
                assert np.array_equal(np.concatenate([forest.predict(p) for p in pieces]), wanted)


class AddsUpInAnyOrder(Forest):
    """Planted: the sum that numpy takes where it is free to."""

    def _add_up(self, left: Words) -> NDArray[np.float64]:
        leaf = np.bitwise_count(left - np.uint64(1))
        return np.asarray(self._values.take(leaf + self._places).sum(axis=1))


class TakesUnknownForHigh(Forest):
    """Planted: NaN sorts after all, and is walked like what is above all thresholds."""

    def _walk(self, rows: NDArray[np.float64]) -> Words:
        return super()._walk(np.nan_to_num(rows, nan=np.inf, posinf=np.inf, neginf=-np.inf))


def test_a_forest_says_what_scikit_learn_says() -> None:
    check_law(Forest)


@pytest.mark.parametrize("planted", [AddsUpInAnyOrder, TakesUnknownForHigh])
def test_the_law_of_forests_catches(planted: type[Forest]) -> None:
    with pytest.raises(AssertionError):
        check_law(planted)


def test_a_forest_of_no_rows_says_nothing() -> None:
    assert Forest(fitted(0, 2)).predict(np.empty((0, FEATURES))).shape == (0,)


def test_a_tree_that_is_one_leaf_is_asked_for_no_feature() -> None:
    given = np.ones((ROWS, FEATURES))
    constant = HistGradientBoostingRegressor(max_iter=2).fit(given, np.full(ROWS, 12.0))

    forest = Forest(constant)

    assert not forest.used(FEATURES).any()
    assert forest.predict(given[:1]) == constant.predict(given[:1])
