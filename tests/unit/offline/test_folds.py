"""Folds go forward: nothing that is trained on was sold after a home to judge was listed."""

import numpy as np
import pytest

from offline import folds
from offline.splits import NotEnough
from tests import sales


def test_homes_to_judge_by_were_listed_after_those_to_train_on_were_sold() -> None:
    rows = sales.rows()
    for fold in folds.forward(rows, 3):
        assert rows.sold_ms[fold.older].max() < rows.listed_ms[fold.newer].min()


def test_each_fold_trains_on_more_and_judges_other_homes() -> None:
    found = folds.forward(sales.rows(), 3)

    assert [f.older.sum() for f in found] == sorted(f.older.sum() for f in found)
    assert np.sum([f.newer for f in found], axis=0).max() == 1


def test_homes_across_a_boundary_are_in_no_part_of_its_fold() -> None:
    rows = sales.rows()
    for fold in folds.forward(rows, 3):
        across = (rows.listed_ms < fold.boundary_ms) & (rows.sold_ms >= fold.boundary_ms)
        assert across.any()
        assert not (across & (fold.older | fold.newer)).any()


def test_more_folds_than_there_are_homes_for_are_refused() -> None:
    with pytest.raises(NotEnough, match="homes listed after the boundary, 30 are needed"):
        folds.forward(sales.rows(), 30)


def test_without_any_sale_there_are_no_folds_and_that_is_said() -> None:
    nothing = sales.rows().take(np.zeros(len(sales.rows()), dtype=np.bool_))

    with pytest.raises(NotEnough, match="no home was sold"):
        folds.forward(nothing, 3)
