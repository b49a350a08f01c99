"""What is told of a data set is what is in it."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from offline import dataset, eda, eda_page, log, page
from offline.eda import Eda
from offline.splits import NotEnough
from stream_app.contract.events import AnyEvent
from stream_app.core.features import NAMES
from tests import builders, sales


def explored(rows: dataset.Dataset) -> Eda:
    return eda.explore(rows, "USD")


def test_the_target_is_described_and_a_skewed_price_is_modelled_as_its_log() -> None:
    rows = sales.rows()
    dear = rows.log_price.copy()
    dear[:12] += 5.0

    found = explored(replace(rows, log_price=dear))

    assert [s.name for s in found.target] == ["price", "log_price", "price_per_m2"]
    assert found.target[1].median == np.median(dear)
    assert found.modelled_as == "log price"
    assert explored(rows).modelled_as != "log price"


def test_each_event_is_accounted_for_rule_by_rule_with_the_values_that_broke_it() -> None:
    given: list[AnyEvent] = [
        builders.listing(),
        builders.listing(event_id="a", listing_id="x", area_m2=-1.0),
        builders.listing(event_id="b", listing_id="y", area_m2=9.0),
        builders.listing(event_id="c", listing_id="z"),
        builders.sale(),
    ]

    rows = dataset.collect([sales.partition(given)], sales.MARKET, 2**52)
    found = {c.rule: c for c in explored(rows).cleaning}

    assert (found["area"].before, found["area"].dropped, found["area"].after) == (5, 2, 3)
    assert found["area"].examples == ("area_m2=-1.0", "area_m2=9.0")
    assert (found["unsold"].dropped, found["unsold"].after) == (1, len(rows))


def test_words_of_a_publisher_beyond_the_rules_are_not_kept() -> None:
    told = builders.raw(builders.listing()).replace(b"{", b'{"owner Jane Doe":1,', 1)

    rows = dataset.collect([log.of_lines([told])], sales.MARKET, 2**52)

    assert rows.counts == {"rejected:unknown_field": 1}
    assert "Jane" not in str(rows.examples)


def test_missing_shares_are_by_year_of_listing() -> None:
    rows = sales.rows()
    values = rows.rows.copy()
    grade = NAMES.index("home_grade")
    first = np.array([eda.year(at) for at in rows.listed_ms.tolist()]) == "2014"
    values[first, grade] = np.nan

    found = explored(replace(rows, rows=values))

    assert found.missing["2014"]["home_grade"] == 1.0
    assert found.missing["2015"]["home_grade"] == 0.0
    assert sum(found.rows_by_year.values()) == len(rows)


def test_the_unusual_is_kept_and_named() -> None:
    rows = sales.rows()
    price = rows.log_price.copy()
    price[7] += 3.0

    found = explored(replace(rows, log_price=price))

    assert found.unusual[0].listing_id == rows.listing_id[7]
    assert found.unusual[0].ratio > 10
    assert found.rows == len(rows)


def test_far_out_values_are_counted_on_their_side() -> None:
    rows = sales.rows()
    values = rows.rows.copy()
    values[3, NAMES.index("home_log_area")] = 20.0

    (far,) = (
        f for f in explored(replace(rows, rows=values)).far_out if f.feature == "home_log_area"
    )

    assert (far.below, far.above, far.high) == (0, 1, 20.0)


def test_twins_are_marked() -> None:
    rows = sales.rows()
    values = rows.rows.copy()
    values[:, NAMES.index("home_bedrooms")] = -2 * values[:, NAMES.index("home_grade")]

    pairs = {(p.first, p.second): p for p in explored(replace(rows, rows=values)).correlated}

    assert pairs["home_bedrooms", "home_grade"].r == pytest.approx(-1.0)
    assert pairs["home_bedrooms", "home_grade"].rows == len(rows)
    # Constants correlate with nothing.
    assert all("latitude" not in name for pair in pairs for name in pair)


def test_months_and_regions_add_up() -> None:
    found = explored(sales.rows())

    assert sum(g.rows for g in found.by_month) == sum(g.rows for g in found.by_region) == 1_200
    assert [g.name for g in found.by_month] == sorted(g.name for g in found.by_month)
    assert found.by_region[0].median >= found.by_region[-1].median


def test_codes_have_no_mean() -> None:
    found = eda.spread("home_region_code", np.array([1.0, 2.0, 2.0, math.nan]))

    assert (found.known, found.unknown, found.distinct, found.mean) == (3, 1, 2, None)


def test_no_sale_is_nothing_to_look_at() -> None:
    with pytest.raises(NotEnough, match="king-county: no home was sold"):
        explored(sales.rows().take(np.zeros(len(sales.rows()), dtype=np.bool_)))


def test_the_page_needs_nothing_else_and_its_figures_are_json(tmp_path: Path) -> None:
    rows = sales.rows()
    strange = replace(rows, region=np.where(rows.region == "kc-0", "<b>$x$</b>", rows.region))
    found = explored(strange)

    made = page.write(tmp_path, "eda", "Data", "About", eda_page.sections(strange, found), found)

    html = Path(made["html"]).read_text(encoding="utf-8")
    assert "<script" not in html
    assert "http" not in html  # nothing is fetched
    assert "<b>$x$" not in html
    assert "&lt;b&gt;$x$" in html
    assert html.count("<img") >= 9
    assert json.loads(Path(made["json"]).read_text(encoding="utf-8"))["rows"] == len(rows)


def test_a_market_without_coordinates_has_no_map_and_says_so() -> None:
    rows = sales.rows()
    values = rows.rows.copy()
    values[:, NAMES.index("home_latitude")] = np.nan
    bare = replace(rows, rows=values)

    html = page.render("Data", "About", eda_page.sections(bare, explored(bare)))

    assert "No map: this market publishes no coordinates." in html
