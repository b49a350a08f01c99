"""Where prices are wrong is found, with the homes behind it, and never by address."""

import math
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from offline import audit, errors, errors_page, page, train
from offline.errors import Judged, Segment
from offline.metrics import Figures
from offline.splits import NotEnough
from stream_app.core.features import NAMES
from tests import messages, sales


def judged(homes: int = 200) -> Judged:
    """Half of the homes in each of two regions; every price is 5 % off, up and down in turn."""
    rows = sales.rows().take(np.arange(len(sales.rows())) < homes)
    off = np.where(np.arange(homes) % 2, 1.05, 0.95)
    found = errors.of_holdout(rows, rows.log_price + np.log(off))
    return replace(found, region=np.where(np.arange(homes) < homes // 2, "kc-a", "kc-b"))


def by(found: errors.Errors, name: str) -> errors.Split:
    (split,) = (split for split in found.splits if split.by == name)
    return split


def analysed(given: Judged) -> errors.Errors:
    return errors.analyse(given, "USD", "a test", ["c1"])


def test_each_split_holds_every_home_once() -> None:
    found = analysed(judged())

    assert found.overall.rows == 200
    assert found.overall.mdape == pytest.approx(0.05)
    assert [s.by for s in found.splits] == [
        "region",
        "type",
        "predicted price",
        "age of home",
        "month of listing",
    ]
    for split in found.splits:
        assert sum(s.figures.rows for s in split.segments) == 200


def test_a_region_that_stays_behind_is_warned_of() -> None:
    given = judged()
    wrong = np.where(given.region == "kc-b", given.price * 1.4, given.price)

    balance = by(analysed(replace(given, price=wrong)), "region").balance

    assert balance.warns
    assert (balance.weakest, balance.best, balance.compared) == ("kc-b", "kc-a", 2)
    assert not by(analysed(given), "region").balance.warns


def test_few_homes_are_shown_and_not_compared() -> None:
    small, large = Figures(29, 1.0, 0.9, 0.0, 0.0), Figures(30, 1.0, 0.1, 0.0, 1.0)

    found = errors.balance([Segment("a", small), Segment("b", large)])

    assert (found.ratio, found.compared, found.warns) == (None, 1, False)


def test_price_bands_go_by_what_was_said_and_are_named_in_order() -> None:
    price = np.linspace(100_000.0, 600_000.0, 500)

    names, order = errors.price_bands(price)

    assert order == [
        "below 200,000",
        "200,000 to 300,000",
        "300,000 to 400,000",
        "400,000 to 500,000",
        "500,000 and more",
    ]
    assert names[0] == order[0]
    assert names[-1] == order[-1]
    assert errors.price_bands(np.full(5, 7.0))[1] == ["all"]


def test_ages_have_bands_for_the_unbuilt_and_the_unknown() -> None:
    names, _ = errors.age_bands(np.array([-0.5, 0.0, 5.0, 59.9, 60.0, math.nan]))

    assert names.tolist() == [
        "not yet built",
        "0 to 5 years",
        "5 to 15 years",
        "30 to 60 years",
        "60 years and more",
        "unknown",
    ]


def test_the_worst_homes_are_named_by_their_listing() -> None:
    given = judged()
    price = given.price.copy()
    price[11] *= 3

    worst = analysed(replace(given, price=price)).worst[0]

    assert worst.listing_id == given.listing_id[11]
    assert worst.off == pytest.approx(3 * 1.05 - 1)


def test_regions_are_compared_month_by_month() -> None:
    found = analysed(judged())

    assert sorted(found.regions_by_month) == list(found.regions_by_month)
    assert all(0 <= b.compared <= 2 for b in found.regions_by_month.values())


def test_served_answers_are_judged_with_their_interval_and_the_unpriced_left_out() -> None:
    outcome = messages.outcome(price=100.0, price_low=90.0, price_high=110.0, sale_price=105.0)
    outcome = msgspec.structs.replace(outcome, features=(None,) * len(NAMES))
    bare = msgspec.structs.replace(outcome, price_low=None)
    unpriced = msgspec.structs.replace(outcome, price=None)

    found = errors.of_served("king-county", [outcome, bare, unpriced])

    assert found.price.tolist() == [100.0, 100.0]
    assert found.inside[0] == 1.0
    assert math.isnan(found.inside[1])


def test_nothing_served_is_nothing_to_analyse() -> None:
    with pytest.raises(NotEnough, match="hdb: no home was priced and then sold"):
        errors.of_served("hdb", [])


def test_the_page_shows_pictures_segments_and_the_audit(tmp_path: Path) -> None:
    candidate = train.train(sales.rows(), seed=0, made_ms=1)
    given = errors.of_holdout(candidate.holdout, candidate.holdout_log)
    found = msgspec.structs.replace(
        analysed(given),
        importance=audit.importance(candidate, 0),
        findings=audit.findings(candidate),
    )

    made = page.write(
        tmp_path, "errors", "Errors", "About", errors_page.sections(given, found), found
    )

    html = Path(made["html"]).read_text(encoding="utf-8")
    assert html.count("<img") >= 9
    for words in ("Worst homes", "Weakest to best", "Importance", "home_grade", ", n = "):
        assert words in html
    assert found.worst[0].listing_id in html
