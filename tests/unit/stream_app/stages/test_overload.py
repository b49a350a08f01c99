"""What is left out follows the lag, later down than up; a step leaves it out, and says so."""

import pytest

from stream_app.contract.models import Overload, RolloutMode
from stream_app.contract.predictions import Prediction, Quality, QualityReason
from stream_app.contract.topics import SHADOW
from stream_app.stages import scorer
from stream_app.stages.overload import level
from stream_app.stages.step import Output, Serving
from tests import replay
from tests.builders import MARKET, SOLD_MS, listing, sale
from tests.fakes.champion import FakeChampion

# Homes enough for a region to have a typical one, and one that is not like it.
USUAL = [listing(listing_id=f"kc-{n}", event_id=f"l{n}") for n in range(6)]
DEAR = listing(listing_id="kc-dear", event_id="dear", area_m2=400.0)


@pytest.mark.parametrize(
    ("before", "lag_events", "then"),
    [
        (Overload.NONE, 79, Overload.NONE),
        (Overload.NONE, 80, Overload.REASONS),
        (Overload.NONE, 160, Overload.SHADOW),
        (Overload.REASONS, 159, Overload.REASONS),
        (Overload.REASONS, 160, Overload.SHADOW),
        (Overload.REASONS, 10, Overload.REASONS),
        (Overload.REASONS, 9, Overload.NONE),
        (Overload.SHADOW, 20, Overload.SHADOW),
        (Overload.SHADOW, 19, Overload.REASONS),
        (Overload.SHADOW, 9, Overload.NONE),
    ],
)
def test_a_level_begins_at_its_lag_and_ends_at_an_eighth_of_it(
    before: Overload, lag_events: int, then: Overload
) -> None:
    assert level(lag_events, before, limit_events=80) is then


def outputs(overload: Overload) -> list[Output]:
    """A dear home, with a challenger beside the champion, after some usual ones and a sale."""
    models = Serving(
        FakeChampion("v2"),
        challenger=FakeChampion("v3", level=7.1),
        mode=RolloutMode.SHADOW,
        overload=overload,
    )
    sold = sale(listing_id="kc-0", event_time_ms=SOLD_MS)
    taken = replay.records([*USUAL, DEAR, sold])
    return replay.run(scorer.advance, [taken], {MARKET: models}).outputs


def answer(overload: Overload) -> Prediction:
    return replay.predictions(outputs(overload))[-1]


@pytest.mark.parametrize("overload", [Overload.REASONS, Overload.SHADOW])
def test_in_overload_the_answer_is_the_same_without_reasons_and_says_so(
    overload: Overload,
) -> None:
    full, short = answer(Overload.NONE), answer(overload)

    assert full.reasons
    assert not short.reasons
    assert short.quality is Quality.DEGRADED
    assert short.quality_reasons == (*full.quality_reasons, QualityReason.OVERLOADED)
    assert (short.price, short.price_low, short.price_high, short.components) == (
        full.price,
        full.price_low,
        full.price_high,
        full.components,
    )


def test_shadow_scoring_is_left_out_after_reasons() -> None:
    shadows = {each: len(replay.to_topic(outputs(each), SHADOW)) for each in Overload}

    assert shadows == {Overload.NONE: 7, Overload.REASONS: 7, Overload.SHADOW: 0}


def test_in_overload_as_much_is_learned() -> None:
    full, short = (replay.outcomes(outputs(each)) for each in (Overload.NONE, Overload.SHADOW))

    assert full == short
    assert full[0].active_residual_log is not None


def test_what_is_left_out_is_written_down() -> None:
    (activated,) = replay.activations(outputs(Overload.SHADOW))

    assert activated.overload is Overload.SHADOW
