"""Older homes to train on, newer ones to judge by, and nothing on both sides."""

from dataclasses import replace

import numpy as np
import pytest

from offline import splits, train
from offline.splits import KnownTooLate, NotEnough, Overlap, Split
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

    least = splits.OLDER_ROWS_MIN + splits.NEWER_ROWS_MIN
    with pytest.raises(NotEnough, match=f"king-county: 100 sold homes, at least {least} are"):
        splits.forward(rows.take(np.arange(len(rows)) < 100))


def test_a_boundary_that_leaves_too_few_on_a_side_is_refused() -> None:
    says = f"0 homes sold before the boundary, {splits.OLDER_ROWS_MIN} are needed"
    with pytest.raises(NotEnough, match=says):
        splits.forward(sales.rows(), newer_share=1.0)


def test_a_shuffled_split_is_refused_with_count_and_examples() -> None:
    rows = sales.rows()
    older = np.random.default_rng(0).random(len(rows)) < 0.7

    says = r"(\d+) of (\d+) homes were listed in the newer part before .*: kc-\d+, kc-\d+, kc-"
    with pytest.raises(Overlap, match=says) as refused:
        splits.refuse(rows, Split(older, ~older, 0))

    assert f"of {(~older).sum()} homes" in str(refused.value)


def test_a_planted_shuffled_split_stops_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = sales.rows()
    older = np.random.default_rng(0).random(len(rows)) < 0.7
    monkeypatch.setattr(splits, "forward", lambda dataset: Split(older, ~older, 0))

    with pytest.raises(Overlap, match="homes were listed in the newer part before"):
        train.train(rows, seed=0, made_ms=0)


@pytest.mark.parametrize("column", ["listed_ms", "listing_offset"])
def test_a_row_that_was_made_after_its_own_sale_stops_the_training(column: str) -> None:
    rows = sales.rows()
    places = getattr(rows, column).copy()
    places[7] = {"listed_ms": rows.sold_ms, "listing_offset": rows.sale_offset}[column][7] + 1
    planted = replace(rows, **{column: places})

    says = rf"1 row made when the sale was in the log, .*: {rows.listing_id[7]}$"
    with pytest.raises(KnownTooLate, match=says):
        train.train(planted, seed=0, made_ms=0)


def test_two_regions_may_use_one_listing_id() -> None:
    rows = sales.rows()
    split = splits.forward(rows)
    ids, regions = rows.listing_id.copy(), rows.region.copy()
    ids[-1], regions[0], regions[-1] = ids[0], "kc-1", "kc-2"

    splits.refuse(replace(rows, listing_id=ids, region=regions), split)


def test_a_listing_on_both_sides_is_refused() -> None:
    rows = sales.rows()
    split = splits.forward(rows)
    newer = split.newer.copy()
    newer[0] = True

    with pytest.raises(Overlap, match=r"listings in both: 1 \(kc-0/kc-0\)"):
        splits.refuse(rows, split._replace(newer=newer))


def test_a_home_on_both_sides_is_refused() -> None:
    rows = sales.rows()
    split = splits.forward(rows)
    homes = rows.home_id.copy()
    homes[-1] = homes[0]

    with pytest.raises(Overlap, match=r"homes in both: 1 \(home-0\)"):
        splits.refuse(replace(rows, home_id=homes), split)


def test_the_same_sale_of_the_same_home_counts_once() -> None:
    rows = sales.rows()
    twice = rows.take(np.array([0, 0, 1]))

    assert splits.without_duplicates(twice).listing_id.tolist() == ["kc-0", "kc-1"]
    unnamed = replace(twice, home_id=np.full(3, ""))
    assert len(splits.without_duplicates(unnamed)) == 3


def test_a_region_of_which_no_older_sale_tells_is_refused() -> None:
    rows = sales.rows()
    split = splits.forward(rows)
    region = np.where(split.newer, "kc-new", rows.region)

    splits.refuse_thin(rows, split)
    with pytest.raises(NotEnough, match=r"are of 1 regions with fewer than 30 older .*: kc-new"):
        splits.refuse_thin(replace(rows, region=region), split)
