"""River's learners behind plain numbers: what they see, learn, keep and refuse."""

import math

import pytest

from stream_app.core.features import NAMES
from stream_app.core.region import Linear
from stream_app.scoring import corrector
from stream_app.scoring.corrector import (
    CORRECTION_LIMIT,
    FEATURES,
    Learner,
    frozen_market,
    market_learner,
    region_learner,
)
from tests import messages

UNKNOWN: tuple[float, ...] = (math.nan,) * len(NAMES)
KNOWN = tuple(float(place % 7) for place in range(len(NAMES)))


def row(**values: float) -> tuple[float, ...]:
    """A feature row in which only these are known."""
    return tuple(values.get(name, math.nan) for name in NAMES)


def taught(learner: Learner, residual: float, labels: int, *, grade: float = 7.0) -> Learner:
    for _ in range(labels):
        learner.learn(row(home_grade=grade), residual)
    return learner


def test_every_feature_of_the_corrector_is_one_of_the_home() -> None:
    assert all(name in NAMES and name.startswith("home_") for name in FEATURES)


def test_a_new_learner_corrects_nothing() -> None:
    assert market_learner(Linear()).predict(KNOWN) == 0.0


def test_a_home_of_which_nothing_is_known_gets_the_mean_residual() -> None:
    learner = taught(region_learner(Linear()), 0.1, labels=500)

    assert learner.predict(UNKNOWN) == pytest.approx(0.1, abs=0.01)


def test_nulls_of_the_wire_are_as_unknown_as_nan() -> None:
    learner = taught(region_learner(Linear()), 0.1, labels=5)

    assert learner.predict([None] * len(NAMES)) == learner.predict(UNKNOWN)


def test_what_differs_with_a_feature_is_learned() -> None:
    learner = region_learner(Linear())
    for _ in range(500):
        taught(learner, 0.1, 1, grade=9.0)
        taught(learner, -0.1, 1, grade=5.0)

    assert learner.predict(row(home_grade=9.0)) > 0.05
    assert learner.predict(row(home_grade=5.0)) < -0.05


def test_the_region_level_learns_faster_than_the_market_level() -> None:
    region, market = region_learner(Linear()), market_learner(Linear())

    assert taught(region, 0.1, 10).predict(UNKNOWN) > taught(market, 0.1, 10).predict(UNKNOWN)


@pytest.mark.parametrize(
    ("learner", "moved"),
    [(market_learner(Linear()), 2 * 0.003 * 0.1), (region_learner(Linear()), 2 * 0.01 * 0.1)],
    ids=["market", "region"],
)
def test_one_label_moves_the_mean_by_its_measured_rate(learner: Learner, moved: float) -> None:
    assert taught(learner, 0.1, labels=1).predict(UNKNOWN) == pytest.approx(moved)


def test_what_was_never_known_has_no_weight() -> None:
    kept = taught(region_learner(Linear()), 0.1, labels=50).freeze()

    weights = dict(zip(FEATURES, kept.weights, strict=True))
    assert {name: weight for name, weight in weights.items() if weight != 0.0} == {}


@pytest.mark.parametrize(("absurd", "limit"), [(17.0, 0.5), (-17.0, -0.5)])
def test_an_absurd_sale_teaches_no_more_than_half_a_log_unit(absurd: float, limit: float) -> None:
    learned = taught(market_learner(Linear()), absurd, labels=1)

    assert learned.freeze() == taught(market_learner(Linear()), limit, labels=1).freeze()


def test_an_absurd_home_is_held_within_three_deviations() -> None:
    learner = region_learner(Linear())
    for number in range(200):
        taught(learner, 0.1 * (-1) ** number, 1, grade=7.0 + (-1) ** number)

    assert learner.predict(row(home_grade=1e9)) == learner.predict(row(home_grade=1e6))


@pytest.mark.parametrize(
    ("correction", "held"),
    [(0.1, 0.1), (0.3, CORRECTION_LIMIT), (-0.3, -CORRECTION_LIMIT)],
    ids=["within", "above", "below"],
)
def test_a_correction_is_held_within_its_limit(correction: float, held: float) -> None:
    assert corrector.clipped(correction) == held


def test_a_new_learner_freezes_to_zeros() -> None:
    zeros = [0.0] * len(FEATURES)

    assert market_learner(Linear()).freeze() == Linear(zeros, zeros, zeros, zeros, 0.0, 0)


def test_predicting_changes_nothing() -> None:
    learner = taught(region_learner(Linear()), 0.1, labels=3)
    before = learner.freeze()

    learner.predict(KNOWN)

    assert learner.freeze() == before


def test_labels_are_counted() -> None:
    assert taught(market_learner(Linear()), 0.1, labels=3).freeze().labels == 3


def test_an_announced_version_says_what_its_learner_said() -> None:
    learner = taught(market_learner(Linear()), 0.1, labels=50)
    learner.learn(KNOWN, 0.2)
    kept = learner.freeze()
    version = messages.corrector(
        feature_names=FEATURES,
        counts=tuple(kept.counts),
        means=tuple(kept.means),
        variances=tuple(kept.variances),
        weights=tuple(kept.weights),
        intercept=kept.intercept,
        labels=kept.labels,
    )

    assert frozen_market(version).predict(KNOWN) == learner.predict(KNOWN)


def test_a_version_for_other_features_is_refused_and_named() -> None:
    with pytest.raises(ValueError, match=r"corrector c1 of king-county .* home_log_area;"):
        frozen_market(messages.corrector())


def test_what_was_frozen_before_is_not_what_is_lowered_or_taught_since() -> None:
    learner = taught(region_learner(Linear()), 0.1, labels=3)
    before = learner.freeze()
    assert learner.freeze() is before

    learner.lower(0.02)
    lowered = learner.freeze()
    taught(learner, 0.1, labels=1)

    assert lowered.intercept == before.intercept - 0.02
    assert learner.freeze().labels == 4
