"""What a partition's state remembers of itself."""

import msgspec
import pytest

from stream_app.contract.models import RolloutMode
from stream_app.stages.step import CONTROL_KEY, Control, Roster, Serving, read_control
from tests.fakes.champion import FakeChampion

V1, V2 = FakeChampion("v1"), FakeChampion("v2")


def test_an_empty_state_has_no_control_record() -> None:
    assert read_control({}) is None


def test_the_control_record_is_read_as_it_was_kept() -> None:
    control = Control(7, "topic-1", 1_000, {"hdb": Roster("v1")}, {"sale:joined": 2})

    assert read_control({CONTROL_KEY: msgspec.msgpack.encode(control)}) == control


def test_a_control_record_of_two_versions_is_read_too() -> None:
    """Written before there were challengers."""
    frozen = msgspec.msgpack.encode([7, "topic-1", 1_000, {"hdb": ["v1", "c1"]}, {}])

    control = read_control({CONTROL_KEY: frozen})

    assert control is not None
    assert control.served == {"hdb": Roster("v1", "c1")}


@pytest.mark.parametrize(
    ("serving", "share"),
    [
        (Serving(V1, challenger=V2, mode=RolloutMode.CANARY, share=0.1), 0.1),
        (Serving(V1, challenger=V2, mode=RolloutMode.AB, share=0.5), 0.5),
        (Serving(V1, challenger=V2, mode=RolloutMode.SHADOW, share=0.5), 0.0),
        (Serving(V1, challenger=V2, mode=RolloutMode.OFF, share=0.5), 0.0),
        (Serving(V1, mode=RolloutMode.AB, share=0.5), 0.0),
    ],
    ids=["canary", "ab", "shadow", "off", "no challenger"],
)
def test_a_challenger_answers_in_canary_and_ab_only(serving: Serving, share: float) -> None:
    assert serving.challenger_share == share


def test_the_roster_names_who_serves() -> None:
    serving = Serving(V1, None, V1, V2, RolloutMode.CANARY, 0.1)

    assert serving.roster == Roster("v1", None, "v1", "v2", RolloutMode.CANARY, 0.1)
