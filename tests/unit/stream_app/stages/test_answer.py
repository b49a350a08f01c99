"""The ladder of answers, the interval around them, and the reasons for doubt."""

import math
from typing import NamedTuple

import msgspec
import numpy as np
import pytest

from stream_app.contract.models import CorrectorAnnounced, Scope
from stream_app.contract.predictions import Components, Quality, QualityReason, Step
from stream_app.contract.topics import OUTCOMES, PREDICTIONS
from stream_app.core.features import FEATURE_SET, NAMES
from stream_app.core.labels import Served, Verdict
from stream_app.core.pipeline import Done
from stream_app.core.region import Decayed
from stream_app.core.watermark import Timing
from stream_app.scoring.scope import Limits, Marks
from stream_app.stages import answer
from stream_app.stages.answer import Opinions, Remarks
from stream_app.stages.asking import Said
from stream_app.stages.step import Serving
from tests import messages
from tests.builders import LISTED_MS, correction, flat, listing, sale
from tests.fakes.champion import FakeChampion
from tests.replay import outcomes, predictions, record

CHAMPION = FakeChampion(scale=0.2, score_quantile=2.0)
OPINIONS = Opinions(
    naive_log=12.0, champion_log=12.5, market_correction=0.04, region_correction=-0.02
)
NO_ERRORS = Decayed()


def blank() -> Served:
    return Served("p-1", LISTED_MS, False, 110.0, "house", (4.7, math.nan))


def filled(
    serving: Serving, opinions: Opinions = OPINIONS, region_errors: Decayed = NO_ERRORS
) -> Served:
    served = blank()
    answer.fill(served, opinions, serving, region_errors)
    return served


def version(**changes: object) -> CorrectorAnnounced:
    return messages.corrector(**changes)


def logs(served: Served) -> tuple[float | None, ...]:
    """Low end, price and high end as logs, rounded."""
    return tuple(
        None if price is None else round(math.log(price), 6)
        for price in (served.price_low, served.price, served.price_high)
    )


class Interval(NamedTuple):
    name: str
    champion: FakeChampion
    corrector: CorrectorAnnounced | None
    half_width: float | None


BANDED = version(scale=0.1, score_quantile=2.0, band_edges_log=(12.0,), band_factors=(0.5, 2.0))
INTERVALS = (
    Interval("the champion's, at first", CHAMPION, None, 0.4),
    Interval("the version's, later", CHAMPION, version(scale=0.1, score_quantile=3.0), 0.3),
    Interval("scale not known yet", CHAMPION, version(scale=None, score_quantile=3.0), 0.4),
    Interval("too few scores yet", CHAMPION, version(scale=0.1, score_quantile=None), 0.4),
    Interval("twice as wide in its band", CHAMPION, BANDED, 0.4),
    Interval("no scale at all", FakeChampion(scale=None), None, None),
    Interval("no quantile at all", FakeChampion(score_quantile=None), None, None),
)


def test_the_champion_answers_first() -> None:
    served = filled(Serving(CHAMPION))

    assert served.step is Step.CHAMPION
    assert served.price == pytest.approx(math.exp(12.52))


def test_without_a_champion_the_regional_median_answers() -> None:
    served = filled(Serving(), OPINIONS._replace(champion_log=None))

    assert served.step is Step.REGIONAL_MEDIAN
    assert served.price == pytest.approx(math.exp(12.0))


def test_with_neither_there_is_no_answer() -> None:
    served = filled(Serving(), Opinions(None, None, 0.0, 0.0))

    assert (served.step, served.price) == (Step.NONE, None)


def test_a_regional_median_has_no_interval() -> None:
    served = filled(Serving(), OPINIONS._replace(champion_log=None))

    assert (served.price_low, served.price_high) == (None, None)


@pytest.mark.parametrize(("guard_weight", "price_log"), [(1.0, 12.52), (0.5, 12.51), (0.0, 12.5)])
def test_the_guard_says_how_much_of_the_correction_counts(
    guard_weight: float, price_log: float
) -> None:
    served = filled(Serving(CHAMPION, version(guard_weight=guard_weight)))

    assert served.price == pytest.approx(math.exp(price_log))


def test_both_levels_together_are_held_within_the_limit() -> None:
    served = filled(Serving(CHAMPION), OPINIONS._replace(market_correction=0.4))

    assert served.price == pytest.approx(math.exp(12.75))


@pytest.mark.parametrize("case", INTERVALS, ids=[case.name for case in INTERVALS])
def test_the_interval_is_the_quantile_times_the_scale(case: Interval) -> None:
    served = filled(Serving(case.champion, case.corrector))

    half = case.half_width
    expected = (None, 12.52, None) if half is None else (12.52 - half, 12.52, 12.52 + half)
    assert logs(served) == pytest.approx(expected)


def test_a_region_that_is_hard_to_price_gets_a_wider_interval() -> None:
    served = filled(Serving(CHAMPION), region_errors=Decayed(total=5 * 2.0, weight=5.0))

    assert served.region_scale == pytest.approx(0.3)
    assert logs(served) == pytest.approx((11.92, 12.52, 13.12))


@pytest.mark.parametrize(
    ("serving", "scale"),
    [
        (Serving(), None),
        (Serving(FakeChampion(scale=None)), None),
        (Serving(CHAMPION), 0.2),
        (Serving(CHAMPION, version(scale=None)), 0.2),
        (Serving(CHAMPION, version(scale=0.1)), 0.1),
    ],
    ids=["nobody", "no holdout", "holdout", "too few labels", "rolling"],
)
def test_the_market_scale_is_the_newest_that_is_known(
    serving: Serving, scale: float | None
) -> None:
    assert answer.market_scale(serving) == scale


def test_an_absurd_history_widens_the_interval_no_further_than_its_limit() -> None:
    served = filled(Serving(CHAMPION, version(scale=12.0, score_quantile=120.0)))

    assert logs(served) == pytest.approx((2.52, 12.52, 22.52))


def test_an_answer_names_what_it_is_made_of() -> None:
    served = filled(Serving(CHAMPION, version(guard_weight=0.5)))

    assert served.components == Components(12.0, 12.5, 0.04, -0.02, 0.5)


@pytest.mark.parametrize(
    ("serving", "versions"),
    [
        (Serving(CHAMPION), ("v1", None)),
        (Serving(CHAMPION, version()), ("v1", "c1")),
    ],
    ids=["champion", "champion and corrector"],
)
def test_an_answer_names_its_versions(
    serving: Serving, versions: tuple[str | None, str | None]
) -> None:
    named = filled(serving).versions

    assert named is not None
    assert (named.champion, named.corrector, named.feature_set) == (*versions, FEATURE_SET)


def reasons_for(
    served: Served,
    *,
    timing: Timing = Timing.ON_TIME,
    sold: bool = False,
    repaired: bool = False,
    skipped: tuple[QualityReason, ...] = (),
) -> tuple[QualityReason, ...]:
    done = Done(Verdict.SCORED, timing, served, already_sold=sold)
    output = answer.prediction(
        listing(), served, done, Remarks(repaired, skipped), record(listing()), 0
    )
    (prediction,) = predictions([output])
    assert prediction.quality is (Quality.DEGRADED if prediction.quality_reasons else Quality.OK)
    return prediction.quality_reasons


GOOD = filled(Serving(CHAMPION))
V2 = Serving(FakeChampion("v2"))
LIMITS = Limits(
    Scope(ranges={}, property_types=("castle",), prices=(1.0, 1e9)),
    NAMES,
    {},
    np.ones(len(NAMES), dtype=np.bool_),
)


def test_a_full_answer_is_ok_without_a_reason() -> None:
    assert reasons_for(GOOD) == ()


def test_the_regional_median_is_a_reason() -> None:
    served = blank()
    skipped = answer.fill(served, OPINIONS._replace(champion_log=None), Serving(), NO_ERRORS)

    assert reasons_for(served, skipped=skipped) == (QualityReason.NO_CHAMPION,)


def test_no_answer_has_two_reasons() -> None:
    served = blank()
    skipped = answer.fill(served, Opinions(None, None, 0.0, 0.0), Serving(), NO_ERRORS)

    assert reasons_for(served, skipped=skipped) == (
        QualityReason.NO_CHAMPION,
        QualityReason.NO_REGIONAL_SALES,
    )


def test_an_answer_without_an_interval_says_so() -> None:
    served = filled(Serving(FakeChampion(scale=None)))

    assert reasons_for(served) == (QualityReason.NO_INTERVAL,)


@pytest.mark.parametrize(
    ("timing", "reason"),
    [(Timing.LATE, QualityReason.LATE), (Timing.LEAP, QualityReason.TIME_JUMP)],
)
def test_an_event_out_of_time_is_a_reason(timing: Timing, reason: QualityReason) -> None:
    assert reasons_for(GOOD, timing=timing) == (reason,)


def test_a_sale_seen_before_is_a_reason() -> None:
    assert reasons_for(GOOD, sold=True) == (QualityReason.ALREADY_SOLD,)


def test_a_repaired_value_is_a_reason() -> None:
    assert reasons_for(GOOD, repaired=True) == (QualityReason.REPAIRED,)


MARKS = Marks(("home_street_code",), ("home_grade",))


@pytest.mark.parametrize(
    ("said", "reasons", "details"),
    [
        (
            Said(12.5, marks=MARKS),
            (QualityReason.UNSEEN_CATEGORY, QualityReason.OUTSIDE_TRAINING),
            ("home_street_code", "home_grade"),
        ),
        (Said(12.5, limits=LIMITS), (QualityReason.OUT_OF_SCOPE,), ("property_type",)),
        (Said(12.5), (), ()),
    ],
    ids=["beyond the training rows", "out of scope", "no scope declared"],
)
def test_what_a_model_was_not_made_for_is_marked_and_named(
    said: Said, reasons: tuple[QualityReason, ...], details: tuple[str, ...]
) -> None:
    done = Done(Verdict.SCORED, Timing.ON_TIME, GOOD)

    output = answer.prediction(listing(), GOOD, done, Remarks(said=said), record(listing()), 0)

    (prediction,) = predictions([output])
    assert prediction.quality_reasons == reasons
    assert prediction.quality_details == details
    assert (prediction.quality is Quality.OK) == (not reasons)


def test_without_a_price_there_is_none_out_of_scope() -> None:
    nothing = filled(Serving(), Opinions(None, None, 0.0, 0.0))
    done = Done(Verdict.SCORED, Timing.ON_TIME, nothing)
    remarks = Remarks(said=Said(None, limits=LIMITS))

    output = answer.prediction(listing(), nothing, done, remarks, record(listing()), 0)

    assert predictions([output])[0].quality_details == ()


def test_a_prediction_goes_to_its_listing_in_the_partition_of_its_event() -> None:
    home = flat(trace_id="t-1")
    former = msgspec.structs.replace(GOOD, prediction_id="p-0")
    done = Done(Verdict.SCORED, Timing.ON_TIME, GOOD, superseded=former, feature_age_ms=5)

    output = answer.prediction(home, GOOD, done, Remarks(), record(home, offset=7), 3)

    assert (output.topic, output.key, output.partition) == (PREDICTIONS, b"hdb-1", 3)
    assert output.cause_ms == LISTED_MS
    (prediction,) = predictions([output])
    assert (prediction.source_partition, prediction.source_offset) == (3, 7)
    assert (prediction.currency, prediction.trace_id) == ("SGD", "t-1")
    assert (prediction.supersedes, prediction.feature_age_ms) == ("p-0", 5)
    assert prediction.features == (4.7, None)


def test_an_outcome_goes_to_its_market_wherever_that_lies() -> None:
    output = answer.outcome(sale(), GOOD, False, True, 0.1, V2, record(sale()))

    assert (output.topic, output.key, output.partition) == (OUTCOMES, b"king-county", None)


def test_an_outcome_joins_what_was_served_with_its_sale() -> None:
    event = correction()

    (outcome,) = outcomes([answer.outcome(event, GOOD, True, False, -0.1, V2, record(event))])

    assert (outcome.prediction_id, outcome.price, outcome.listed_ms) == (
        GOOD.prediction_id,
        GOOD.price,
        LISTED_MS,
    )
    assert (outcome.sale_event_id, outcome.sale_revision, outcome.corrects) == (
        event.event_id,
        1,
        True,
    )
    assert not outcome.teaches
    assert (outcome.active_champion, outcome.active_residual_log) == ("v2", -0.1)
    assert (outcome.sale_price, outcome.sold_ms) == (event.sale_price, event.event_time_ms)
