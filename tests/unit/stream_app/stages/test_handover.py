"""A new champion takes over: correctors give back what it knows, and take it again if it leaves."""

from collections.abc import Mapping

import msgspec
import pytest

from stream_app.contract.models import Handover
from stream_app.core import region
from stream_app.stages import scorer
from stream_app.stages.step import Serving
from tests import replay
from tests.builders import DAY_MS, MARKET, REGION, SOLD_MS, listing, sale
from tests.fakes.champion import FakeChampion
from tests.unit.stream_app.stages.test_scorer import VERSION

SHIFT_LOG = 0.1
V1, V2 = FakeChampion("v1"), FakeChampion("v2", level=7.0 + SHIFT_LOG)
FIRST = {MARKET: Serving(V1)}
SECOND = {
    MARKET: Serving(
        V2,
        previous=V1,
        handover=Handover(replaces="v1", market_log=0.0, regions={REGION: SHIFT_LOG, "far": 0.1}),
    )
}
STRANGER = Handover(replaces="v0", market_log=0.0, regions={REGION: SHIFT_LOG})
BACK = {
    MARKET: Serving(
        V1,
        previous=V2,
        handover=Handover(replaces="v2", market_log=0.0, regions={REGION: -SHIFT_LOG}),
    )
}


def taught(homes: int = 40) -> dict[str, bytes]:
    """State of a region whose homes sold above what the first champion said."""
    events = [listing(listing_id=f"h-{n}", event_id=f"l-{n}") for n in range(homes)]
    sales = [sale(listing_id=f"h-{n}", event_id=f"s-{n}") for n in range(homes)]
    return replay.run(scorer.advance, [replay.records([*events, *sales])], FIRST).state


def after(state: Mapping[str, bytes], *servings: Mapping[str, Serving]) -> dict[str, bytes]:
    """The state when a listing came under each."""
    found = dict(state)
    for number, serving in enumerate(servings):
        event = listing(listing_id=f"next-{number}", event_time_ms=SOLD_MS + DAY_MS)
        step = scorer.advance(replay.batch([replay.record(event, 1_000 + number)]), found, serving)
        replay.commit(step, found)
    return found


def area(state: Mapping[str, bytes]) -> region.Region:
    return region.thaw(state[f"region:{REGION}"])


def test_a_region_gives_back_what_the_new_champion_knows() -> None:
    before = taught()
    known = area(before).corrector.intercept
    assert known > SHIFT_LOG

    now = area(after(before, SECOND))

    assert now.corrector.intercept == pytest.approx(known - SHIFT_LOG)
    assert now.handed_over == pytest.approx(SHIFT_LOG)


def test_it_is_given_back_once() -> None:
    assert (
        area(after(taught(), SECOND, SECOND)).corrector == area(after(taught(), SECOND)).corrector
    )


def test_a_roll_back_undoes_it_and_the_way_forward_does_it_again() -> None:
    before = taught()

    back, forth = after(before, SECOND, BACK), after(before, SECOND, BACK, SECOND)

    assert area(back).corrector.intercept == pytest.approx(area(before).corrector.intercept)
    assert area(forth).corrector.intercept == pytest.approx(
        area(after(before, SECOND)).corrector.intercept
    )


def test_a_region_that_is_not_here_is_not_made_up() -> None:
    assert "region:far" not in after(taught(), SECOND)


def test_whoever_replaces_another_champion_than_served_here_is_given_nothing() -> None:
    other = {MARKET: SECOND[MARKET]._replace(handover=STRANGER)}
    before = taught()

    assert area(after(before, other)).corrector == area(before).corrector


@pytest.mark.parametrize(
    ("learned_from", "expected"),
    [("v1", 0.05 - SHIFT_LOG), ("v2", 0.05), (None, 0.05)],
    ids=["the champion before", "the new one", "nobody knows"],
)
def test_a_version_that_knows_the_champion_before_says_so_much_less(
    learned_from: str | None, expected: float
) -> None:
    version = msgspec.structs.replace(VERSION, champion=learned_from)
    told = Handover(replaces="v1", market_log=SHIFT_LOG, regions={})
    serving = {MARKET: Serving(V2, version, handover=told)}

    (prediction,) = replay.predictions(
        replay.run(scorer.advance, [replay.records([listing()])], serving).outputs
    )

    assert prediction.components.market_correction == pytest.approx(expected)


def test_an_outcome_tells_the_learner_whose_place_the_champion_took() -> None:
    ran = replay.run(scorer.advance, [replay.records([listing(), sale()])], SECOND)

    (outcome,) = replay.outcomes(ran.outputs)
    assert (outcome.active_champion, outcome.active_replaced) == ("v2", "v1")
    assert outcome.active_shift_log == 0.0


def test_the_activation_tells_what_was_given_back() -> None:
    ran = replay.run(scorer.advance, [replay.records([listing()])], SECOND)

    (activated,) = replay.activations(ran.outputs)
    assert activated.handover == SECOND[MARKET].handover
