"""Who may become champion, who is told what, in which order; and what an absent broker changes."""

from collections.abc import Iterable

import pytest

from offline import announce, announced, promote
from offline.announce import Change
from offline.announced import Announced
from offline.faults import NotAnnounced
from offline.promote import PASSED, NotAllowed, Standing
from stream_app.contract import wire
from stream_app.contract.models import (
    AliasSet,
    AnyModelMessage,
    RolloutMode,
    RolloutSet,
    SegmentShift,
)
from stream_app.contract.settings import KafkaSettings
from tests import champions, messages

MARKET = "king-county"
V1, V2 = (champions.announced(version=version).announced for version in ("v1", "v2"))


def now(**aliases: str) -> Announced:
    named = [messages.alias(alias=alias, version=version) for alias, version in aliases.items()]
    return announced.of(MARKET, map(wire.encode, [V1, *named]))


def told(change: Change) -> Iterable[AnyModelMessage]:
    return [wire.decode_model_message(message.value) for message in change.messages]


def test_a_version_is_told_before_its_alias() -> None:
    change = promote.promote(now(), V2, "first")

    assert told(change) == [
        V2,
        AliasSet(market=MARKET, alias="champion", version="v2", reason="first"),
        RolloutSet(market=MARKET, mode=RolloutMode.OFF, share=0.0, reason="first"),
    ]
    assert change.aliases == {"champion": "v2"}


def test_the_champion_before_becomes_the_way_back() -> None:
    change = promote.promote(now(champion="v1"), V2, "better")

    assert [message.key for message in change.messages] == [
        "king-county/champion/v1",
        "king-county/champion/v2",
        "king-county/alias/previous",
        "king-county/alias/champion",
        "king-county/rollout",
    ]
    assert change.aliases == {"previous": "v1", "champion": "v2"}


def test_whom_it_replaces_and_how_far_prices_move_are_told_with_the_champion() -> None:
    shift = (SegmentShift(segment="", homes=40, median_log=0.02),)

    change = promote.promote(now(champion="v1"), V2, "better", shift)

    aliases = [message for message in told(change) if isinstance(message, AliasSet)]
    assert {a.alias: (a.replaces, a.expected_shift) for a in aliases} == {
        "previous": (None, ()),
        "champion": ("v1", shift),
    }


def test_the_same_champion_again_keeps_the_way_back_and_who_is_tried() -> None:
    change = promote.promote(now(champion="v2", previous="v1"), V2, "again")

    assert change.aliases == {"previous": "v1", "champion": "v2"}
    assert "king-county/rollout" not in [message.key for message in change.messages]


def test_who_was_never_announced_is_no_way_back() -> None:
    assert promote.promote(now(champion="v9"), V2, "better").aliases == {"champion": "v2"}


def test_who_passed_its_gate_may_serve() -> None:
    promote.refuse(Standing("v2"))
    promote.refuse_ungated("v2", PASSED)


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        (None, "v2: the gate never judged it: run `python -m offline gate`; or, for a trial,"),
        ("MAE 3 % above", "v2: the gate did not pass it: MAE 3 % above; for a trial, say why"),
    ],
    ids=["never judged", "failed"],
)
def test_who_did_not_pass_its_gate_is_told_why(gate: str | None, says: str) -> None:
    with pytest.raises(NotAllowed, match=says):
        promote.refuse_ungated("v2", gate)


def test_a_review_lifts_a_hold() -> None:
    held = Standing("v2", held="R2 is 0.9990")
    with pytest.raises(NotAllowed, match=r"v2 is held: R2 is 0\.9990; look, then .* --reviewed"):
        promote.refuse(held)

    promote.refuse(held, reviewed=True)


def test_nothing_lifts_a_retirement() -> None:
    with pytest.raises(NotAllowed, match="v2 is retired: a leak"):
        promote.refuse(Standing("v2", retired="a leak"), reviewed=True)


def test_a_broker_that_is_away_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "DELIVERY_TIMEOUT_S", 1)
    nobody = KafkaSettings(bootstrap_servers="127.0.0.1:1")

    with pytest.raises(NotAnnounced, match=r"housing\.models"):
        announce.publish(nobody, promote.promote(now(), V2, "first").messages)
