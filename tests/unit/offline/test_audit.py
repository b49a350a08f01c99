"""What an audit finds: planted leaks are held, twins and constants noted, and nothing else."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from offline import audit, dataset, train
from offline.audit import Finding
from offline.dataset import Dataset
from offline.train import Candidate
from stream_app.contract.events import Listing, Sale
from stream_app.core.features import NAMES
from tests import sales

LEAK = NAMES.index("home_floor")  # the market of the tests has no floors


def planted(values: NDArray[np.float64]) -> Dataset:
    rows = sales.rows().rows.copy()
    rows[:, LEAK] = values
    return replace(sales.rows(), rows=rows)


def candidate_of(given: Dataset) -> Candidate:
    return train.train(given, seed=0, made_ms=1)


@pytest.fixture(scope="module")
def honest() -> Candidate:
    return candidate_of(sales.rows())


def kinds(found: tuple[Finding, ...], *, held: bool) -> set[str]:
    return {f.kind for f in found if f.held == held}


def test_an_honest_candidate_is_not_held(honest: Candidate) -> None:
    found = audit.findings(honest)

    assert kinds(found, held=True) == set()
    assert audit.held(found) is None


def test_a_feature_that_is_the_price_is_held_and_named() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, len(sales.rows()))

    found = audit.findings(candidate_of(planted(sales.rows().log_price + noise)))

    assert kinds(found, held=True) == {"r2", "tells_all"}
    (telling,) = (f for f in found if f.kind == "tells_all")
    assert telling.feature == "home_floor"
    assert "home_floor alone explains 9" in (audit.held(found) or "")


def test_a_feature_that_knows_the_price_by_and_large_is_held_and_named() -> None:
    noise = np.random.default_rng(0).normal(0, 0.12, len(sales.rows()))

    found = audit.findings(candidate_of(planted(sales.rows().log_price + noise)))

    assert kinds(found, held=True) == {"tells_all"}
    assert "home_floor alone explains" in (audit.held(found) or "")


def test_an_asking_price_reaches_no_row() -> None:
    """Planted: listings ask for what they will be sold for, give or take a little."""
    generator = np.random.default_rng(0)
    given = sales.events()
    paid = {e.listing_id: e.sale_price for e in given if isinstance(e, Sale)}
    asking = [
        msgspec.structs.replace(
            e, asking_price=round(paid[e.listing_id] * generator.uniform(0.97, 1.03))
        )
        if isinstance(e, Listing)
        else e
        for e in given
    ]

    found = dataset.collect([sales.partition(asking)], sales.MARKET, sales.ENDED_MS)

    assert dataset.sha256(found) == dataset.sha256(sales.rows())


def test_a_feature_that_is_the_price_per_m2_is_held_by_an_error_too_small() -> None:
    leak = sales.rows().log_price - np.log(sales.rows().area_m2)

    found = audit.findings(candidate_of(planted(leak)))

    assert kinds(found, held=True) == {"r2"}


def test_a_row_made_after_its_sale_is_held(honest: Candidate) -> None:
    holdout = honest.holdout
    listed_ms = holdout.listed_ms.copy()
    listed_ms[0] = holdout.sold_ms[0]

    found = audit.findings(honest._replace(holdout=replace(holdout, listed_ms=listed_ms)))

    (late,) = (f for f in found if f.held)
    assert late.kind == "newer_than_prediction"
    assert late.reason.endswith(str(holdout.listing_id[0]))


def test_twins_and_constants_are_noted(honest: Candidate) -> None:
    rows = honest.older.rows.copy()
    rows[:, LEAK] = 2 * rows[:, NAMES.index("home_grade")]
    found = audit.findings(honest._replace(older=replace(honest.older, rows=rows)))

    assert kinds(found, held=False) == {"twins", "constant"}
    assert "home_bedrooms" in {f.feature for f in found if f.kind == "constant"}
    assert "home_floor home_grade" in {f.feature for f in found if f.kind == "twins"}


def test_what_makes_the_price_is_important_and_the_order_repeats(honest: Candidate) -> None:
    found = audit.importance(honest, seed=3)

    assert [each.feature for each in found[:2]] == ["home_log_area", "home_grade"]
    assert found == audit.importance(honest, seed=3)
