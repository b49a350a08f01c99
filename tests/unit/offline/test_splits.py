"""Older homes to train on, newer ones to judge by, and nothing on both sides."""

from dataclasses import replace

import numpy as np
import pytest

from offline import splits
from offline.splits import NotEnough, Split
from tests import sales


def test_all_older_sales_come_before_all_newer_listings() -> None:
    rows = sales.rows()

    split = splits.forward(rows)

    assert rows.sold_ms[split.older].max() < split.boundary_ms
    assert rows.listed_ms[split.newer].min() >= split.boundary_ms


def test_homes_on_the_market_across_the_boundary_are_on_neither_side() -> None:
    rows = sales.rows()

    split = splits.forward(rows)

    across = (rows.listed_ms < split.boundary_ms) & (rows.sold_ms >= split.boundary_ms)
    assert across.sum() > 0
    assert not (across & (split.older | split.newer)).any()


def test_a_home_sold_before_is_not_judged_again() -> None:
    rows = sales.rows()
    homes = rows.home_id.copy()
    homes[-1] = homes[0]

    split = splits.forward(replace(rows, home_id=homes))

    assert splits.forward(rows).newer[-1]
    assert not split.newer[-1]


def test_homes_that_are_not_published_are_not_taken_for_one() -> None:
    rows = sales.rows()

    split = splits.forward(replace(rows, home_id=np.full(len(rows), "")))

    assert split.newer.sum() == splits.forward(rows).newer.sum()


def test_too_few_homes_are_refused_with_their_number() -> None:
    rows = sales.rows()

    with pytest.raises(NotEnough, match="king-county: 100 sold homes, at least 430 are needed"):
        splits.forward(rows.take(np.arange(len(rows)) < 100))


def test_a_boundary_that_leaves_too_few_on_a_side_is_refused() -> None:
    with pytest.raises(NotEnough, match="0 homes sold before the boundary, 400 are needed"):
        splits.forward(sales.rows(), newer_share=1.0)


def test_a_shuffled_split_is_refused() -> None:
    rows = sales.rows()
    older = np.random.default_rng(0).random(len(rows)) < 0.7

    with pytest.raises(ValueError, match="listed in the newer part before a sale of the older"):
        splits.refuse(rows, Split(older, ~older, 0))


def test_a_home_on_both_sides_is_refused() -> None:
    rows = sales.rows()
    split = splits.forward(rows)
    homes = rows.home_id.copy()
    homes[-1] = homes[0]

    with pytest.raises(ValueError, match="home home-0 and 0 more are in both"):
        splits.refuse(replace(rows, home_id=homes), split)
