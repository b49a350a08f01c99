"""What the step costs is parted without remainder, and measuring it leaves all as it was."""

import pytest

from bench import step
from stream_app.core import pipeline
from tests import replay, sales
from tests.fakes.champion import FakeChampion, served_by

MODELS = served_by(FakeChampion())
TAKEN = replay.records(sales.events(60))


def test_the_parts_of_a_cost_add_up_to_it() -> None:
    cost = step.cost(TAKEN[60:], step.warmed(TAKEN[:60], MODELS), MODELS, size=16, rounds=2)

    assert cost.us > 0
    assert sum(cost.parts.values()) == pytest.approx(cost.us)
    assert cost.parts["features"] > 0


def test_measuring_leaves_the_state_and_the_functions_as_they_were() -> None:
    state, featurise = step.warmed(TAKEN[:60], MODELS), pipeline.featurise
    before = dict(state)

    step.cost(TAKEN[60:], state, MODELS, size=16, rounds=1)

    assert state == before
    assert pipeline.featurise is featurise


def test_a_stream_is_cut_into_pieces_of_one_length() -> None:
    assert len(step.along(TAKEN, MODELS, size=16, pieces=4)) == 4
