"""A scorer's own checks say who may serve: trees do, and nothing else."""

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor, VotingRegressor
from threadpoolctl import threadpool_limits

from offline import bundle, promotable
from offline.candidates import KINDS
from offline.shape import Shape, boosting
from offline.train import Fitted, fit, fit_regressor
from tests import sales

TREES = Shape("absolute_error", 15, trees=20)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    with threadpool_limits(limits=1):  # busy cores: see offline/train.py
        yield


def objections(fitted: Fitted, ms_alone: float = 1.0) -> str:
    dumped = bundle.dump(fitted.regressor)
    return "; ".join(promotable.objections(fitted, sales.rows(), dumped, ms_alone))


@pytest.fixture(scope="module")
def trees() -> Fitted:
    return fit(sales.rows(), TREES, seed=0)


def test_a_scorer_takes_boosted_trees(trees: Fitted) -> None:
    assert objections(trees) == ""


def test_a_row_that_takes_long_by_itself_is_too_slow(trees: Fitted) -> None:
    assert objections(trees, ms_alone=10.1) == "10.1 ms for a row alone, 10 ms at most"


def test_a_large_bundle_is_refused(trees: Fitted) -> None:
    large = bytes(17 * promotable.MB)

    against = promotable.objections(trees, sales.rows(), large, 1.0)

    assert "17 MB, 16 MB at most" in against


def test_a_forest_and_an_ensemble_are_no_model_that_a_scorer_opens() -> None:
    forest = fit_regressor(sales.rows(), RandomForestRegressor(3, random_state=0))
    ensemble = fit_regressor(sales.rows(), VotingRegressor([("a", boosting(TREES, 0))]))

    assert "type not allowed" in objections(forest)
    assert "sklearn.tree._tree.Tree" in objections(forest)
    assert "type not allowed" in objections(ensemble)


def test_a_linear_model_brings_code_of_its_own() -> None:
    assert "offline.candidates.Clip" in objections(KINDS["ridge"].fit(sales.rows(), 0))


def test_other_bits_in_another_batch_are_told_beside_all_else(trees: Fitted) -> None:
    class Sums:
        """Planted: a row's price depends on who stands beside it."""

        def fit(self, rows: object, log_price: object) -> "Sums":
            return self

        def predict(self, rows: np.ndarray) -> np.ndarray:
            return np.full(len(rows), float(len(rows)))

    dumped = bundle.dump(trees.regressor)
    fitted = Fitted(Sums(), trees.encodings)

    against = promotable.objections(fitted, sales.rows(), dumped, 1.0)

    assert against[-1] == "other bits in another batch size"


def test_the_naive_price_has_nothing_to_say_of_an_unknown_home() -> None:
    assert "no price for a home" in objections(KINDS["naive"].fit(sales.rows(), 0))
