"""The scorer on a handful of events: what it publishes, keeps, counts and learns."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import pytest

from stream_app.contract.events import AnyEvent
from stream_app.contract.models import Activated, Policy
from stream_app.contract.predictions import QualityReason, Step
from stream_app.contract.topics import ACTIVATIONS, EVENTS, PREDICTIONS, SHADOW, STATE
from stream_app.core import region
from stream_app.core.features import NAMES
from stream_app.core.region import Linear
from stream_app.core.watermark import WITNESSES
from stream_app.scoring.corrector import FEATURES, region_learner
from stream_app.stages import scorer
from stream_app.stages.step import Control, Output, Record, Serving, read_control
from tests import builders, messages, replay
from tests.builders import (
    DAY_MS,
    LISTED_MS,
    LISTING_ID,
    MARKET,
    REGION,
    SOLD_MS,
    correction,
    erasure,
    flat,
    listing,
    sale,
    withdrawal,
)
from tests.fakes.champion import FakeChampion, served_by
from tests.replay import Ran

CHAMPION = FakeChampion()
SERVING = served_by(CHAMPION)
CHAMPION_LOG = CHAMPION.level + math.log(110.0) + 0.05 * 7
RESIDUAL = math.log(221_900.0) - CHAMPION_LOG

Z = [0.0] * len(FEATURES)
VERSION = messages.corrector(
    feature_names=FEATURES, counts=Z, means=Z, variances=Z, weights=Z, intercept=0.05
)


def run(*events: AnyEvent, serving: Mapping[str, Serving] = SERVING) -> Ran:
    return replay.run(scorer.advance, [replay.records(events)], serving)


def control_of(ran: Ran) -> Control:
    control = read_control(ran.state)
    assert control is not None
    return control


def region_of(ran: Ran, name: str = REGION) -> region.Region:
    return region.thaw(ran.state[f"region:{name}"])


def taught_once(residual: float) -> Linear:
    """What a region keeps after one label of `listing()`."""
    (prediction,) = replay.predictions(run(listing()).outputs)
    learner = region_learner(Linear())
    learner.learn(prediction.features, residual)
    return learner.freeze()


def test_it_reads_events_and_keeps_its_state_beside_them() -> None:
    assert (scorer.NAME, scorer.SOURCE, scorer.STATE_TOPIC) == ("scorer", EVENTS, STATE)


def test_a_listing_is_answered_by_the_champion() -> None:
    (prediction,) = replay.predictions(run(listing()).outputs)

    assert prediction.step is Step.CHAMPION
    assert prediction.price == pytest.approx(math.exp(CHAMPION_LOG))


def test_a_market_without_a_champion_is_answered_all_the_same() -> None:
    (prediction,) = replay.predictions(run(flat()).outputs)

    assert prediction.quality_reasons == (
        QualityReason.NO_CHAMPION,
        QualityReason.NO_REGIONAL_SALES,
    )


def test_without_a_champion_nothing_is_corrected() -> None:
    (prediction,) = replay.predictions(run(listing(), serving={}).outputs)

    components = prediction.components
    assert (components.market_correction, components.region_correction) == (0.0, 0.0)


def test_without_a_champion_the_sales_of_the_region_answer() -> None:
    next_one = listing(listing_id="next", event_time_ms=SOLD_MS + DAY_MS)

    ran = run(listing(), sale(), next_one, serving={})

    prediction = replay.predictions(ran.outputs)[-1]
    assert prediction.step is Step.REGIONAL_MEDIAN
    assert prediction.price == pytest.approx(221_900.0, rel=0.006)


def test_each_market_is_answered_by_its_own_champion() -> None:
    both = served_by(CHAMPION) | served_by(FakeChampion("v9", level=8.0), "hdb")

    house, home = replay.predictions(run(listing(), flat(), serving=both).outputs)

    assert (house.versions.champion, home.versions.champion) == ("v1", "v9")


def test_a_champion_that_has_nothing_to_say_is_not_asked() -> None:
    ran = run(withdrawal(), serving=served_by(CHAMPION))

    assert replay.predictions(ran.outputs) == []


def test_an_amended_listing_supersedes_its_prediction() -> None:
    first, second = replay.predictions(run(listing(), listing(revision=1)).outputs)

    assert second.supersedes == first.prediction_id


def test_a_sale_is_joined_with_what_was_served() -> None:
    ran = run(listing(), sale())

    (prediction,), (outcome,) = replay.predictions(ran.outputs), replay.outcomes(ran.outputs)
    assert outcome.prediction_id == prediction.prediction_id
    assert outcome.features == prediction.features
    assert outcome.price == prediction.price
    assert outcome.active_residual_log == pytest.approx(RESIDUAL)


def test_a_correction_is_published_as_one() -> None:
    ran = run(listing(), sale(), correction())

    assert [o.corrects for o in replay.outcomes(ran.outputs)] == [False, True]


def test_a_correction_teaches_nothing() -> None:
    known, corrected = run(listing(), sale()), run(listing(), sale(), correction())

    assert region_of(corrected).corrector == region_of(known).corrector
    assert region_of(corrected).scale == region_of(known).scale


def test_a_sale_teaches_its_region_at_once() -> None:
    assert region_of(run(listing(), sale())).corrector == taught_once(RESIDUAL)


def test_what_the_market_level_says_is_left_out_of_the_regions_lesson() -> None:
    serving = {MARKET: Serving(CHAMPION, VERSION)}

    ran = run(listing(), sale(), serving=serving)

    assert region_of(ran).corrector == taught_once(RESIDUAL - 0.05)


def test_a_learned_correction_is_in_the_next_answer() -> None:
    next_one = listing(listing_id="next", event_time_ms=SOLD_MS + DAY_MS)

    ran = run(listing(), sale(), next_one, serving={MARKET: Serving(CHAMPION, VERSION)})

    components = replay.predictions(ran.outputs)[-1].components
    assert components.market_correction == pytest.approx(0.05)
    assert components.region_correction != 0.0


def test_an_error_of_what_was_served_widens_the_region() -> None:
    scale = region_of(run(listing(), sale())).scale

    assert scale.total == pytest.approx(abs(RESIDUAL) / 0.2)  # the champion's own, of its holdout
    assert scale.weight == 1.0


def test_without_a_scale_of_the_market_a_region_has_none_of_its_own() -> None:
    serving = {MARKET: Serving(FakeChampion(scale=None))}

    assert region_of(run(listing(), sale(), serving=serving)).scale.weight == 0.0


def test_an_answer_without_champion_is_no_error_of_the_region() -> None:
    state = run(listing(), serving={}).state

    ran = replay.run(scorer.advance, [[replay.record(sale(), 1)]], SERVING, state)

    assert region_of(ran).scale.weight == 0.0
    assert region_of(ran).corrector.labels == 1


def test_without_a_champion_a_sale_teaches_nothing() -> None:
    ran = run(listing(), sale(), serving={})

    (outcome,) = replay.outcomes(ran.outputs)
    assert (outcome.active_champion, outcome.active_residual_log) == (None, None)
    assert region_of(ran).corrector.labels == 0


def test_a_sale_is_measured_against_the_champion_active_now() -> None:
    state = run(listing()).state
    newer = served_by(FakeChampion("v2", level=CHAMPION.level + 0.5))

    ran = replay.run(scorer.advance, [[replay.record(sale(), 1)]], newer, state)

    (outcome,) = replay.outcomes(ran.outputs)
    assert (outcome.versions.champion, outcome.active_champion) == ("v1", "v2")
    assert outcome.active_residual_log == pytest.approx(RESIDUAL - 0.5)


def test_an_erasure_leaves_a_tombstone_for_ledger_prediction_and_shadow() -> None:
    ran = run(listing(), erasure())

    tombstones = [Output(topic, LISTING_ID.encode(), None, 0) for topic in (PREDICTIONS, SHADOW)]
    assert ran.outputs[-2:] == tombstones
    assert f"listing:{REGION}:{LISTING_ID}" not in ran.state


class Refused(NamedTuple):
    events: tuple[AnyEvent, ...]
    code: str
    counted: str


@pytest.mark.parametrize(
    "case",
    [
        Refused((listing(area_m2=5_500.0),), "area", "rejected:area"),
        Refused((listing(), listing(event_id="x")), "conflict", "listing:conflict"),
        Refused(
            (listing(), sale(event_time_ms=LISTED_MS - 1)),
            "sold_before_listed",
            "sale:sold_before_listed",
        ),
    ],
    ids=lambda case: case.code,
)
def test_what_is_refused_is_published_and_counted(case: Refused) -> None:
    ran = run(*case.events)

    assert replay.reject_codes(ran.outputs) == [case.code]
    assert control_of(ran).counts[case.counted] == 1


@pytest.mark.parametrize(
    "events",
    [
        (withdrawal(),),
        (sale(),),
        (listing(revision=1), listing()),
        (listing(), listing()),
        (listing(), sale(), withdrawal()),
    ],
    ids=["orphan", "orphan sale", "outdated", "duplicate", "withdrawn once sold"],
)
def test_what_changes_no_answer_publishes_none(events: tuple[AnyEvent, ...]) -> None:
    before, ran = run(*events[:-1]) if events[1:] else Ran([], {}), run(*events)

    news = [o for o in ran.outputs[len(before.outputs) :] if o.topic is not ACTIVATIONS]
    assert news == []


def test_events_are_counted_by_kind_and_verdict() -> None:
    late = listing(listing_id="late", event_time_ms=LISTED_MS - 2 * DAY_MS)
    texts = builders.raw(listing(listing_id="text")).replace(b'"lot_m2":525.0', b'"lot_m2":"525"')

    state = run(listing(), late, sale(listing_id="unheard of")).state
    taken = Record(3, REGION.encode(), texts, LISTED_MS)
    ran = replay.run(scorer.advance, [[taken]], SERVING, state)

    assert control_of(ran).counts == {
        "listing:scored": 3,
        "listing:late": 2,
        "listing:repaired": 1,
        "sale:orphan": 1,
    }


def test_the_control_record_says_where_the_state_stands() -> None:
    control = control_of(run(listing(), sale()))

    assert (control.applied_offset, control.topic_id) == (1, replay.TOPIC_ID)


def test_the_watermark_of_a_partition_is_known_when_enough_events_say_it() -> None:
    homes = [listing(listing_id=f"kc-{number}") for number in range(WITNESSES)]

    assert control_of(run(*homes[1:])).watermark_ms == 0
    assert control_of(run(*homes)).watermark_ms == LISTED_MS


def test_the_step_names_its_last_offset() -> None:
    taken = [replay.record(listing(), 41), replay.record(sale(), 43)]

    assert scorer.advance(replay.batch(taken), {}, SERVING).applied_offset == 43


def test_the_state_given_is_left_as_it_was() -> None:
    state = run(listing()).state
    before = dict(state)

    scorer.advance(replay.batch([replay.record(sale(), 1)]), state, SERVING)

    assert state == before


# 2014-07-10, and 58 weeks for 400 days.
PAGE = f"page:{MARKET}:2381:0"


def test_only_what_was_touched_is_written_anew() -> None:
    elsewhere = listing(region="kc-98103", listing_id="there")
    state = run(listing()).state

    step = scorer.advance(replay.batch([replay.record(elsewhere, 1)]), state, SERVING)

    assert sorted(step.state) == [
        "control",
        "listing:kc-98103:there",
        PAGE,
        "publisher:test",
        "region:kc-98103",
    ]


def test_the_first_models_are_activated_from_the_first_offset_of_their_batch() -> None:
    taken = [replay.record(listing(), 41)]

    step = scorer.advance(replay.batch(taken), {}, SERVING)

    assert replay.activations(step.outputs) == [
        Activated(partition=0, from_offset=41, market=MARKET, champion="v1", corrector=None)
    ]
    (activation,) = replay.to_topic(step.outputs, ACTIVATIONS)
    assert (activation.key, activation.partition) == (b"0", 0)


@pytest.mark.parametrize(
    ("serving", "activated"),
    [
        (SERVING, []),
        ({}, []),
        (served_by(FakeChampion("v2")), [("v2", None)]),
        ({MARKET: Serving(CHAMPION, VERSION)}, [("v1", "c1")]),
        ({MARKET: Serving()}, [(None, None)]),
    ],
    ids=["the same", "not told", "a new champion", "a first version", "nobody any more"],
)
def test_only_news_is_activated(
    serving: Mapping[str, Serving], activated: list[tuple[str | None, str | None]]
) -> None:
    state = run(listing()).state

    step = scorer.advance(replay.batch([replay.record(sale(), 1)]), state, serving)

    found = replay.activations(step.outputs)
    assert [(each.champion, each.corrector) for each in found] == activated


def test_the_first_batch_also_says_that_no_model_serves_and_by_which_policy() -> None:
    """Else a replay of it would change with the defaults."""
    assert replay.activations(run(listing(), serving={MARKET: Serving()}).outputs) == [
        Activated(
            partition=0,
            from_offset=0,
            market=MARKET,
            champion=None,
            corrector=None,
            policy=Policy(),
        )
    ]


def test_homes_that_have_an_event_id_in_common_are_told_apart() -> None:
    places: tuple[dict[str, str], ...] = ({}, {"listing_id": "other"}, {"region": "kc-98103"})

    told = replay.predictions(run(*(listing(event_id="e-1", **at) for at in places)).outputs)

    assert len({each.prediction_id for each in told}) == 3


def test_a_served_row_is_as_wide_as_its_names() -> None:
    (prediction,) = replay.predictions(run(listing()).outputs)

    assert len(prediction.features) == len(NAMES)


def test_a_state_of_another_topic_takes_the_name_of_the_new_one() -> None:
    state = run(listing()).state
    batch = replay.batch([replay.record(sale(), 1)])._replace(topic_id="topic-2")

    step = scorer.advance(batch, state, SERVING)

    frozen = step.state["control"]
    assert frozen is not None
    assert msgspec.msgpack.decode(frozen, type=Control).topic_id == "topic-2"
