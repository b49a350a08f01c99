"""Who is told what when a champion goes back, or a challenger is tried."""

from collections.abc import Iterable

import pytest

from offline import announced
from offline.announce import Change
from offline.announced import Announced
from offline.faults import NotRegistered, WrongInput
from offline.rollout import roll_back, roll_out
from stream_app.contract import wire
from stream_app.contract.models import (
    AliasSet,
    AnyModelMessage,
    RolloutMode,
    RolloutSet,
    SegmentShift,
)
from tests import champions, messages

MARKET = "king-county"
V1, V2, V3 = (champions.announced(version=version).announced for version in ("v1", "v2", "v3"))


def now(*told: AnyModelMessage, **aliases: str) -> Announced:
    named = [messages.alias(alias=alias, version=version) for alias, version in aliases.items()]
    return announced.of(MARKET, map(wire.encode, [V1, V2, V3, *named, *told]))


def told(change: Change) -> Iterable[AnyModelMessage]:
    return [wire.decode_model_message(message.value) for message in change.messages]


def test_what_is_announced_is_read_market_by_market() -> None:
    elsewhere = (
        messages.champion(manifest=messages.manifest(market="hdb", version="v9")),
        messages.alias(market="hdb", version="v9"),
        messages.rollout(market="hdb"),
    )

    found = now(*elsewhere, messages.rollout(share=0.2), champion="v1")

    assert list(found.champions) == ["v1", "v2", "v3"]
    assert found.aliases == {"champion": "v1"}
    assert found.rollout == messages.rollout(share=0.2)


def test_what_is_no_message_is_passed_over() -> None:
    assert announced.of(MARKET, [b"", b"{", b"\xff"]) == Announced(MARKET)


def test_a_roll_back_lets_champion_and_previous_change_places() -> None:
    change = roll_back(now(champion="v2", previous="v1"), "worse")

    assert told(change) == [
        V1,
        AliasSet(market=MARKET, alias="champion", version="v1", reason="worse", replaces="v2"),
        AliasSet(market=MARKET, alias="previous", version="v2", reason="worse"),
    ]
    assert change.aliases == {"previous": "v2", "champion": "v1"}


@pytest.mark.parametrize(("replaces", "told_log"), [("v1", [-0.02]), ("v0", [])])
def test_a_roll_back_undoes_the_shift_that_was_told_of_the_same_two(
    replaces: str, told_log: list[float]
) -> None:
    found = now(champion="v2", previous="v1")
    found.serving = AliasSet(
        market=MARKET,
        alias="champion",
        version="v2",
        reason="better",
        replaces=replaces,
        expected_shift=(SegmentShift(segment="", homes=40, median_log=0.02),),
    )

    _, champion, _ = told(roll_back(found, "worse"))

    assert isinstance(champion, AliasSet)
    assert [shift.median_log for shift in champion.expected_shift] == told_log


def test_two_roll_backs_are_none() -> None:
    first = now(champion="v2", previous="v1")
    second = now(**first.aliases | roll_back(first, "worse").aliases)

    assert roll_back(second, "better").aliases == first.aliases


def test_a_champion_that_was_left_already_is_not_left_twice() -> None:
    first = now(champion="v2", previous="v1")
    change = roll_back(first, "worse", leave="v2")
    second = now(**first.aliases | change.aliases)

    again = roll_back(second, "worse", leave="v2")

    assert change == roll_back(first, "worse")
    assert (told(again), again.aliases) == ([], second.aliases)


def test_a_champion_that_does_not_serve_cannot_be_left() -> None:
    with pytest.raises(WrongInput, match="v2 serves, there is no v3 to leave"):
        roll_back(now(champion="v2", previous="v1"), "worse", leave="v3")


@pytest.mark.parametrize(
    ("aliases", "says"),
    [
        ({}, "no champion is announced"),
        ({"champion": "v1"}, "no champion before v1"),
        ({"champion": "v1", "previous": "v1"}, "no champion before v1"),
        ({"champion": "v1", "previous": "v9"}, "version 'v9' was never announced"),
    ],
    ids=["no champion", "no previous", "the same", "unknown"],
)
def test_there_is_not_always_a_way_back(aliases: dict[str, str], says: str) -> None:
    with pytest.raises(NotRegistered, match=says):
        roll_back(now(**aliases), "worse")


@pytest.mark.parametrize(
    ("mode", "given", "share"),
    [
        (RolloutMode.SHADOW, None, 0.0),
        (RolloutMode.CANARY, None, 0.1),
        (RolloutMode.CANARY, 0.02, 0.02),
        (RolloutMode.AB, None, 0.5),
    ],
)
def test_a_challenger_is_named_before_it_is_given_listings(
    mode: RolloutMode, given: float | None, share: float
) -> None:
    change = roll_out(now(champion="v1"), mode, given, V2, "looks better")

    assert told(change) == [
        V2,
        AliasSet(market=MARKET, alias="challenger", version="v2", reason="looks better"),
        RolloutSet(market=MARKET, mode=mode, share=share, reason="looks better"),
    ]
    assert change.aliases == {"challenger": "v2"}


def test_the_challenger_there_is_goes_on_in_another_mode() -> None:
    change = roll_out(now(champion="v1", challenger="v3"), RolloutMode.AB, None, None, "more")

    assert change.aliases == {"challenger": "v3"}


def test_off_leaves_the_challenger_where_it_is() -> None:
    change = roll_out(now(champion="v1"), RolloutMode.OFF, None, None, "enough")

    assert [message.key for message in change.messages] == ["king-county/rollout"]
    assert change.aliases == {}


@pytest.mark.parametrize(
    ("aliases", "mode", "share", "says"),
    [
        ({"champion": "v1"}, RolloutMode.AB, None, "there is no challenger"),
        ({"challenger": "v9"}, RolloutMode.AB, None, "'v9' was never announced"),
        ({"champion": "v1", "challenger": "v1"}, RolloutMode.AB, None, "v1 is the champion"),
        ({"challenger": "v2"}, RolloutMode.SHADOW, 0.1, "--share goes with canary and ab"),
        ({"challenger": "v2"}, RolloutMode.OFF, 0.1, "--share goes with canary and ab"),
    ],
)
def test_a_rollout_that_makes_no_sense_is_refused(
    aliases: dict[str, str], mode: RolloutMode, share: float | None, says: str
) -> None:
    with pytest.raises(WrongInput, match=says):
        roll_out(now(**aliases), mode, share, None, "")
