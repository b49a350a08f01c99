"""Kinds are judged on the same folds, each figure by hand where it can be; time is kept."""

import math

import numpy as np
import pytest

from offline import candidates, compare, compare_table, folds
from offline.compare import Compared, Comparison
from offline.encodings import Encodings
from offline.train import Fitted
from stream_app.core.features import CATEGORICAL
from tests import sales

KINDS = ("dummy", "naive", "ridge")
told: list[str] = []


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare.run(sales.rows(), KINDS, 2, 0, 1, 60.0, told.append)


def one(found: Comparison, name: str) -> Compared:
    return next(each for each in found.compared if each.name == name)


def test_all_kinds_are_judged_on_the_same_homes(found: Comparison) -> None:
    homes = {tuple(fold.alone.rows for fold in each.folds) for each in found.compared}

    assert homes == {found.folds}


def test_the_mean_and_the_spread_are_over_the_folds(found: Comparison) -> None:
    ridge = one(found, "ridge")
    errors = [fold.alone.mae for fold in ridge.folds if fold.alone.mae is not None]

    assert ridge.mean["mae"] == pytest.approx(sum(errors) / 2)
    assert ridge.spread["mae"] == pytest.approx(abs(errors[0] - errors[1]) / 2)
    assert {"rmse", "r2", "mape", "mdape", "bias", "within_10", "answer_mae"} <= set(ridge.mean)


def test_what_knows_the_home_is_better_and_is_not_promotable_as_the_scorer_says(
    found: Comparison,
) -> None:
    assert one(found, "ridge").mean["mae"] < one(found, "dummy").mean["mae"] / 2
    assert not one(found, "ridge").promotable
    assert "offline.candidates.Clip" in one(found, "ridge").objections[0]


def test_progress_is_told_fit_by_fit(found: Comparison) -> None:
    assert told[-1] == "  6 of 6 fits judged"


def test_the_same_seed_gives_the_same_figures(found: Comparison) -> None:
    again = compare.run(sales.rows(), ("ridge",), 2, 0, 1, 60.0, told.append)

    left_out = {"fit_s"}
    same = one(again, "ridge").mean.items()
    assert {k: v for k, v in same if k not in left_out} == {
        k: v for k, v in one(found, "ridge").mean.items() if k not in left_out
    }


def test_when_the_time_is_up_no_fold_begins_and_nothing_is_promotable() -> None:
    rows = sales.rows()
    late = compare.judge(rows, folds.forward(rows, 2), 0, -math.inf, "dummy", lambda done: None)

    assert late.folds == ()
    assert not late.promotable
    assert late.objections == ("the time was up before its last fold",)


def test_a_model_that_learned_its_rows_by_heart_shows_a_train_gap() -> None:
    """Planted: it knows the prices of the first half, and says 10 % too much of all others."""
    rows = sales.rows()
    first = np.arange(len(rows)) < 500

    class ByHeart:
        def fit(self, rows: object, log_price: object) -> "ByHeart":
            return self

        def predict(self, given: np.ndarray) -> np.ndarray:
            seen = len(given) == 500
            return rows.log_price[first] + 1e-3 if seen else rows.log_price[~first] + 0.1

    known = Encodings({name: {} for name in CATEGORICAL}, dict.fromkeys(CATEGORICAL, 0.0))

    fold = compare.on_fold(Fitted(ByHeart(), known), rows.take(first), rows.take(~first), 0.0)

    assert fold.train_gap == pytest.approx(100, rel=0.1)
    assert fold.answer.mae is not None
    assert fold.alone.mae is not None
    assert fold.answer.mae < fold.alone.mae  # the corrector takes the level away


def test_prices_that_were_not_given_teach_the_corrector_nothing() -> None:
    rows = sales.rows()
    naive = candidates.KINDS["naive"].fit(rows, 0)

    fold = compare.on_fold(naive, rows, rows, 0.0)

    assert fold.answer.rows == fold.alone.rows < len(rows)
    assert fold.answer.mae is not None


def test_the_table_has_a_row_for_each_kind_and_says_why_one_may_not_serve(
    found: Comparison,
) -> None:
    late = Compared("svr", "slow", (), {}, {})
    table = compare_table.markdown(
        Comparison(found.market, 1, (1, 1), 2.0, 0.1, (*found.compared, late)), "python -m x"
    )

    assert "`python -m x`" in table
    assert all(f"| `{name}` |" in table for name in KINDS)
    assert "| no: holds a type not allowed" in table
    assert "- `svr`: slow; not reached, the time was up" in table
