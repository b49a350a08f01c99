"""Challengers in the scorer: who is asked, what is served, what nobody sees."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from stream_app.contract import wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.ids import prediction_id
from stream_app.contract.models import Activated, RolloutMode
from stream_app.contract.predictions import Arm, Prediction, QualityReason, Step
from stream_app.contract.topics import ACTIVATIONS, PREDICTIONS, SHADOW
from stream_app.core import region
from stream_app.scoring.rollout import arm_of
from stream_app.stages import scorer
from stream_app.stages.step import PriceModel, Serving
from tests import replay
from tests.builders import DAY_MS, LISTED_MS, MARKET, REGION, listing, sale
from tests.fakes.champion import FakeChampion
from tests.replay import Ran


@dataclass(frozen=True)
class Asked(FakeChampion):
    """Remembers how many rows it was asked for, call by call."""

    calls: list[int] = field(default_factory=list)

    def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        self.calls.append(len(rows))
        return super().predict_log(rows)


@dataclass(frozen=True)
class Mad(FakeChampion):
    """Says `value` to small homes, and a price to others."""

    value: float = math.nan

    def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        said = super().predict_log(rows)
        said[rows[:, 0] < math.log(100.0)] = self.value
        return said


CHAMPION = FakeChampion("v2", level=7.0)
PREVIOUS = FakeChampion("v1", level=6.9)
CHALLENGER = FakeChampion("v3", level=7.2)
SHADOWED = Serving(CHAMPION, None, PREVIOUS, CHALLENGER, RolloutMode.SHADOW)


def homes(count: int, **changes: object) -> list[AnyEvent]:
    return [
        listing(listing_id=f"kc-{number}", event_time_ms=LISTED_MS + number, **changes)
        for number in range(count)
    ]


def run(*events: AnyEvent, serving: Serving) -> Ran:
    return replay.run(scorer.advance, [replay.records(events)], {MARKET: serving})


def shadows(ran: Ran) -> list[Prediction]:
    outputs = replay.to_topic(ran.outputs, SHADOW)
    return [wire.decode_prediction(output.value or b"") for output in outputs]


def rollout(mode: RolloutMode, share: float) -> Serving:
    return SHADOWED._replace(mode=mode, share=share)


@pytest.mark.parametrize(
    ("mode", "share"), [(RolloutMode.CANARY, 0.1), (RolloutMode.AB, 0.5), (RolloutMode.OFF, 0.5)]
)
def test_the_challenger_answers_its_arm(mode: RolloutMode, share: float) -> None:
    ran = run(*homes(200), serving=rollout(mode, share))

    effective = 0.0 if mode is RolloutMode.OFF else share
    for prediction in replay.predictions(ran.outputs):
        arm = arm_of(prediction.listing_id, effective)
        challenged = arm is Arm.CHALLENGER
        assert prediction.arm is arm
        assert prediction.step is (Step.CHALLENGER if challenged else Step.CHAMPION)
        assert prediction.versions.champion == ("v3" if challenged else "v2")
        cause = (prediction.region, prediction.listing_id, prediction.event_id)
        assert prediction.prediction_id == prediction_id(*cause, arm)
        assert prediction.quality_reasons == ()
    assert shadows(ran) == []


def test_a_shadow_changes_nothing_that_is_served() -> None:
    events = [*homes(20), *(sale(listing_id=f"kc-{number}") for number in range(20)), listing()]

    shadowed = run(*events, serving=SHADOWED)
    alone = run(*events, serving=SHADOWED._replace(mode=RolloutMode.OFF))

    left = [o for o in shadowed.outputs if o.topic not in (SHADOW, ACTIVATIONS)]
    assert left == [o for o in alone.outputs if o.topic is not ACTIVATIONS]
    assert {k: v for k, v in shadowed.state.items() if k != "control"} == {
        k: v for k, v in alone.state.items() if k != "control"
    }


def test_a_shadow_scores_every_listing_as_in_its_own_arm() -> None:
    events = homes(20)

    shadowed = shadows(run(*events, serving=SHADOWED))

    assert shadowed == replay.predictions(
        run(*events, serving=rollout(RolloutMode.AB, 1.0)).outputs
    )


def test_a_shadow_lies_beside_its_prediction_and_takes_the_place_of_nothing() -> None:
    ran = run(listing(), listing(revision=1), serving=SHADOWED)

    assert [p.supersedes for p in shadows(ran)] == [None, None]
    served = replay.to_topic(ran.outputs, PREDICTIONS)
    shadow = replay.to_topic(ran.outputs, SHADOW)
    assert [(o.key, o.partition) for o in shadow] == [(o.key, o.partition) for o in served]


def test_without_a_challenger_there_is_no_shadow() -> None:
    assert shadows(run(listing(), serving=SHADOWED._replace(challenger=None))) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e6, -100.0])
def test_what_is_no_price_is_left_to_the_previous_champion(value: float) -> None:
    serving = Serving(Mad("v2", value=value), None, PREVIOUS)

    large, small = replay.predictions(
        run(listing(listing_id="a"), listing(listing_id="b", area_m2=50.0), serving=serving).outputs
    )

    assert (large.step, large.versions.champion) == (Step.CHAMPION, "v2")
    assert (small.step, small.versions.champion) == (Step.PREVIOUS, "v1")
    assert small.quality_reasons == (QualityReason.CHAMPION_UNUSABLE,)


def test_a_home_that_the_champion_says_no_price_for_teaches_nothing() -> None:
    serving = Serving(Mad("v2"), None, PREVIOUS)

    ran = run(listing(area_m2=50.0), sale(), serving=serving)

    (outcome,) = replay.outcomes(ran.outputs)
    assert (outcome.step, outcome.active_residual_log) == (Step.PREVIOUS, None)
    assert region.thaw(ran.state[f"region:{REGION}"]).corrector.labels == 0


def test_a_challenged_home_teaches_the_residual_of_the_champion() -> None:
    serving = rollout(RolloutMode.AB, 1.0)

    (outcome,) = replay.outcomes(run(listing(), sale(), serving=serving).outputs)

    champion_log = CHAMPION.level + math.log(110.0) + 0.05 * 7
    assert (outcome.arm, outcome.step) == (Arm.CHALLENGER, Step.CHALLENGER)
    assert outcome.versions.champion == "v3"
    assert outcome.active_champion == "v2"
    assert outcome.active_residual_log == pytest.approx(math.log(221_900.0) - champion_log)


def test_a_challenged_home_says_nothing_of_the_errors_of_its_region() -> None:
    def errors(serving: Serving) -> float:
        ran = run(listing(), sale(), serving=serving)
        return region.thaw(ran.state[f"region:{REGION}"]).scale.weight

    assert errors(rollout(RolloutMode.AB, 0.0)) == 1
    assert errors(rollout(RolloutMode.AB, 1.0)) == 0


def test_each_model_is_asked_once_a_batch_and_only_for_what_it_answers() -> None:
    champion, previous, challenger = Asked("v2"), Asked("v1"), Asked("v3")
    serving = Serving(champion, None, previous, challenger, RolloutMode.CANARY, 0.1)
    events = homes(100)

    run(*events, sale(listing_id="kc-0", event_time_ms=LISTED_MS + DAY_MS), serving=serving)

    assert (champion.calls, previous.calls) == ([101], [])
    assert challenger.calls == [
        sum(arm_of(f"kc-{number}", 0.1) is Arm.CHALLENGER for number in range(100))
    ]


@pytest.mark.parametrize(
    "changed",
    [
        SHADOWED._replace(champion=CHALLENGER),
        SHADOWED._replace(previous=None),
        SHADOWED._replace(challenger=PREVIOUS),
        SHADOWED._replace(mode=RolloutMode.CANARY),
        SHADOWED._replace(share=0.2),
    ],
    ids=["champion", "previous", "challenger", "mode", "share"],
)
def test_any_change_of_the_lineup_is_activated_once(changed: Serving) -> None:
    first = run(listing(), serving=SHADOWED)
    state: dict[str, bytes] = dict(first.state)

    told = []
    for offset in (7, 8):
        step = scorer.advance(
            replay.batch([replay.record(listing(listing_id=f"kc-{offset}"), offset)]),
            state,
            {MARKET: changed},
        )
        replay.commit(step, state)
        told += replay.activations(step.outputs)

    assert told == [_activated(changed, 7)]


def _activated(serving: Serving, offset: int) -> Activated:
    def name(model: PriceModel | None) -> str | None:
        return None if model is None else model.version

    return Activated(
        partition=0,
        from_offset=offset,
        market=MARKET,
        champion=name(serving.champion),
        corrector=None,
        previous=name(serving.previous),
        challenger=name(serving.challenger),
        mode=serving.mode,
        share=serving.share,
    )
