"""What is shown of the loop, and the scenario that the producers are given."""

import socket
import tomllib

import pytest

from demo.story import telling
from demo.story.chapter import free_port
from demo.story.scenes import PUBLISHERS, QUICK, WHOLE, Scene, Variant, day_ms, scenario
from stream_app.contract.alerts import (
    AnyAlertMessage,
    NextStep,
    RequestStatus,
    Trigger,
    WorkStep,
)
from tests import messages


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (messages.alert(), "DETECTED price level: error up by 6 %"),
        (
            messages.decision(next_step=NextStep.RETRAIN, triggers=(Trigger.CONCEPT_DRIFT,)),
            "decides: RETRAIN: 3 labels",
        ),
        (
            messages.decision(next_step=NextStep.CONFIRM, triggers=(Trigger.PROBATION,)),
            "probation: CONFIRMED: 3 labels",
        ),
        (messages.preflight_measured(), "pre-flight: error 0.1100 as served, 0.1000 retrained"),
        (messages.answered(RequestStatus.RUNNING, step=WorkStep.TRAIN), "trains a challenger"),
        (
            messages.answered(RequestStatus.FAILED, reason="no broker"),
            "r-1 came to nothing: no broker",
        ),
        (messages.answered(RequestStatus.DONE, version="v2", promoted=True), "PROMOTED v2"),
        (
            messages.answered(
                RequestStatus.DONE, version="v2", gate_passed=False, gate_reasons=("no gain",)
            ),
            "gate NOT PASSED: no gain",
        ),
        (messages.rolled_back(), "ROLLED BACK from v2 to v1"),
    ],
)
def test_each_step_of_the_loop_is_a_line(message: AnyAlertMessage, words: str) -> None:
    assert words in (telling.line(message) or "")


@pytest.mark.parametrize(
    "message",
    [
        messages.alert(cause="person called"),
        messages.decision(next_step=NextStep.WAIT, triggers=(Trigger.SCHEDULE,)),
        messages.decision(next_step=NextStep.NOTHING),
        messages.preflight_requested(),
        messages.answered(RequestStatus.ACCEPTED),
    ],
)
def test_what_says_nothing_new_is_no_line(message: AnyAlertMessage) -> None:
    assert telling.line(message) is None


@pytest.mark.parametrize(
    "scene",
    [*WHOLE.values(), *QUICK.values()],
    ids=lambda s: f"{s.variant}{'' if s.whole else ', quick'}",
)
def test_the_scenario_file_says_what_is_planted(scene: Scene) -> None:
    told = tomllib.loads(scenario(scene))

    assert told["publishers"] == list(PUBLISHERS)
    planted = told.get("plant", [])
    assert [plant["factor"] for plant in planted] == [plant.factor for plant in scene.planted]
    assert all(day_ms(plant["from"]) == scene.shock_ms for plant in planted)
    assert (not planted) == (scene.variant is Variant.NONE)


def test_the_page_takes_another_port_when_somebody_has_the_wanted_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]

        assert free_port(wanted) not in (0, wanted)

    assert free_port(wanted) == wanted
