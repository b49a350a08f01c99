"""What serves follows from what was announced, in the order of the log."""

from collections.abc import Sequence

import pytest

from stream_app.contract.models import (
    AliasSet,
    ChampionAnnounced,
    Handover,
    RolloutMode,
    SegmentShift,
)
from stream_app.contract.rejects import ModelRefused
from stream_app.shell.shelf import Opened, Refusal, Shelf
from stream_app.stages.step import Roster
from tests import messages
from tests.builders import MARKET
from tests.fakes.champion import FakeChampion
from tests.unit.stream_app.shell.shelf_bench import THREE, Bench, champion, corrector, named


def test_a_champion_serves_once_it_is_announced_and_named() -> None:
    bench = Bench()

    assert bench.put(champion("v1"), champion("v2")) == Roster()
    assert bench.put(*named(champion="v1")) == Roster("v1")


def test_the_alias_may_come_before_the_announcement() -> None:
    bench = Bench()

    bench.put(*named(champion="v1"))

    assert bench.put(champion("v1")) == Roster("v1")


SHIFT = (SegmentShift(segment="region=a", homes=20, median_log=0.1),)


def succeeding(version: str, replaces: str) -> AliasSet:
    return messages.alias(
        alias="champion", version=version, replaces=replaces, expected_shift=SHIFT
    )


def test_what_correctors_give_back_is_told_while_the_champion_it_was_told_of_serves() -> None:
    bench = Bench(spoilt={"v3"})

    bench.put(*THREE, *named(champion="v1"))
    swapped = bench.put(succeeding("v2", "v1"))
    refused = bench.put(succeeding("v3", "v2"))

    assert swapped.handover == Handover(replaces="v1", market_log=0.1, regions={"a": 0.0})
    assert (refused.champion, refused.handover) == ("v2", None)


def test_all_three_aliases_are_followed_and_no_other() -> None:
    bench = Bench()

    roster = bench.put(
        *THREE, *named(champion="v2", previous="v1", challenger="v3", favourite="v9")
    )

    assert roster == Roster("v2", None, "v1", "v3")


def test_the_rollout_is_followed() -> None:
    bench = Bench()

    roster = bench.put(messages.rollout(mode=RolloutMode.AB, share=0.5))

    assert (roster.mode, roster.share) == (RolloutMode.AB, 0.5)


def test_only_what_an_alias_names_at_the_end_is_opened_and_all_of_it_at_once() -> None:
    bench = Bench()
    asked: list[int] = []

    def count(announced: Sequence[ChampionAnnounced]) -> list[Opened]:
        asked.append(len(announced))
        return bench.open(announced)

    shelf = Shelf(count, bench.recheck, bench.alarms.append)
    shelf.put([*THREE, *named(champion="v1", previous="v1"), *named(champion="v2")])
    shelf.fill()

    assert (asked, bench.opened) == ([2], ["v2", "v1"])


def test_a_roll_back_opens_nothing() -> None:
    bench = Bench()
    bench.put(*THREE, *named(champion="v2", previous="v1"))

    bench.shelf.put(named(champion="v1", previous="v2"))

    assert bench.roster() == Roster("v1", None, "v2")
    assert bench.opened == ["v2", "v1"]


def test_half_a_roll_back_opens_nothing_either() -> None:
    bench = Bench()
    bench.put(*THREE, *named(champion="v2", previous="v1"))

    bench.shelf.put(named(champion="v1"))

    assert bench.roster() == Roster("v1", None, "v1")
    assert bench.opened == ["v2", "v1"]


def test_golden_rows_are_looked_at_again_before_a_roll_back() -> None:
    bench = Bench()
    bench.put(*THREE, *named(champion="v2", previous="v1"))
    bench.spoilt.add("v1")

    bench.shelf.put(named(champion="v1", previous="v2"))

    assert bench.rechecked == ["v2", "v1"]
    assert bench.roster() == Roster("v2", None, "v2")
    assert bench.alarms == [Refusal(MARKET, "champion", "v1", "golden rows differ", "v2")]


def test_while_a_new_champion_is_opened_the_old_one_serves() -> None:
    bench = Bench()
    bench.put(*THREE, *named(champion="v1"))

    bench.shelf.put(named(previous="v1", champion="v2"))

    assert bench.roster() == Roster("v1", None, "v1")
    bench.shelf.fill()
    assert bench.roster() == Roster("v2", None, "v1")


def test_what_no_alias_names_any_more_is_let_go() -> None:
    bench = Bench()
    bench.put(*THREE, *named(champion="v1"))
    bench.put(*named(champion="v2"))

    bench.put(*named(champion="v1"))

    assert bench.opened == ["v1", "v2", "v1"]


def test_a_refused_champion_leaves_the_old_one(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.put(champion("v1"), *named(champion="v1"))

    roster = bench.put(champion("bad"), *named(previous="v1", champion="bad"))

    assert roster == Roster("v1", None, "v1")
    assert "the hash differs" in caplog.text
    assert bench.alarms == [Refusal(MARKET, "champion", "bad", "the hash differs", "v1")]


def test_after_a_restart_the_previous_champion_serves_for_a_refused_one() -> None:
    """As it does at every neighbour that was not restarted."""
    announced = (
        (champion("v1"), *named(champion="v1")),
        (
            champion("bad"),
            *named(previous="v1", champion="bad"),
        ),
    )
    neighbour, restarted = Bench(), Bench()
    for some in announced:
        neighbour.put(*some)

    roster = restarted.put(*announced[0], *announced[1])

    assert roster == neighbour.roster() == Roster("v1", None, "v1")
    assert restarted.alarms == neighbour.alarms
    assert restarted.alarms == [Refusal(MARKET, "champion", "bad", "the hash differs", "v1")]
    assert restarted.shelf.unserved() == []


# v1 serves, then two champions in a row are refused: neither alias leads to it any more.
TWICE_REFUSED = (
    *(champion(version) for version in ("v1", "bad", "worse")),
    *named(champion="worse", previous="bad"),
)


def test_after_two_refused_champions_a_restarted_worker_serves_what_its_neighbours_do() -> None:
    neighbour, restarted = Bench(bad={"bad", "worse"}), Bench(bad={"bad", "worse"})
    neighbour.put(champion("v1"), *named(champion="v1"))
    neighbour.put(champion("bad"), *named(previous="v1", champion="bad"))
    neighbour.put(champion("worse"), *named(previous="bad", champion="worse"))

    assert restarted.put(*TWICE_REFUSED) == Roster()
    restarted.shelf.remember({MARKET: "v1"})
    restarted.shelf.fill()

    assert restarted.roster() == neighbour.roster() == Roster("v1")
    assert restarted.shelf.unserved() == []


def test_what_served_last_gives_way_to_a_champion_that_can_be_opened() -> None:
    bench = Bench(bad={"bad", "worse"})
    bench.put(*TWICE_REFUSED)
    bench.shelf.remember({MARKET: "v1"})
    bench.shelf.fill()

    assert bench.put(champion("v2"), *named(champion="v2")) == Roster("v2")
    assert bench.put(champion("bad"), *named(champion="bad")) == Roster("v2")


def test_what_served_last_and_is_not_announced_any_more_serves_nobody() -> None:
    bench = Bench()
    bench.put(champion("bad"), *named(champion="bad"))

    bench.shelf.remember({MARKET: "gone", "elsewhere": "v1"})

    assert bench.shelf.fill() is None
    assert bench.shelf.unserved() == [MARKET]


def test_a_previous_champion_that_is_unsound_does_not_serve_either() -> None:
    bench = Bench(spoilt={"v1"})

    roster = bench.put(champion("v1"), champion("bad"), *named(previous="v1", champion="bad"))

    assert roster == Roster()
    assert [(one.version, one.serves) for one in bench.alarms] == [("bad", None), ("v1", None)]


def test_a_refused_challenger_is_not_there() -> None:
    bench = Bench()
    bench.put(*THREE, *named(champion="v1", challenger="v2"))

    roster = bench.put(champion("bad"), *named(challenger="bad"))

    assert roster == Roster("v1")


def test_what_was_refused_is_told_once_and_not_tried_again_until_announced_anew() -> None:
    bench = Bench()
    bench.put(champion("bad"), *named(champion="bad", challenger="bad"))

    bench.put(corrector("1"), *named(champion="bad"))
    assert (bench.opened, len(bench.alarms)) == (["bad"], 1)

    bench.put(champion("bad"))
    assert (bench.opened, len(bench.alarms)) == (["bad", "bad"], 2)


def test_what_is_announced_anew_while_it_is_opened_is_opened_again() -> None:
    bench = Bench()
    found: list[Opened] = [ModelRefused("of before"), FakeChampion("v1")]

    def slow(announced: Sequence[ChampionAnnounced]) -> list[Opened]:
        if len(found) == 2:
            shelf.put([champion("v1")])
        return [found.pop(0)]

    shelf = Shelf(slow, bench.recheck, bench.alarms.append)
    shelf.put([champion("v1"), *named(champion="v1")])
    shelf.fill()

    assert shelf.serving()[MARKET].roster == Roster("v1")
    assert bench.alarms == []


def test_the_newest_corrector_serves() -> None:
    assert Bench().put(corrector("1"), corrector("2")) == Roster(None, "2")


def test_a_corrector_of_other_features_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    other = [corrector(version, feature_names=("home_log_area",)) for version in "23"]

    assert bench.put(corrector("1"), *other) == Roster(None, "1")
    assert "corrector refused" in caplog.text
    assert [(one.kind, one.version, one.serves) for one in bench.alarms] == [
        ("corrector", "3", "1")
    ]


def test_a_snapshot_does_not_change_under_a_batch() -> None:
    bench = Bench()
    bench.put(corrector("1"))
    snapshot = bench.shelf.serving()

    bench.put(corrector("2"))

    assert snapshot is not bench.shelf.serving()
    assert snapshot[MARKET].corrector == corrector("1")


def test_a_market_waits_for_a_champion_that_is_named_and_does_not_serve() -> None:
    bench = Bench()
    unserved = [bench.shelf.unserved()]

    for messages_ in ([corrector("1")], named(champion="bad"), [champion("bad")]):
        bench.put(*messages_)
        unserved.append(bench.shelf.unserved())
    bench.put(champion("v1"), *named(champion="v1"))

    assert unserved == [[], [], [MARKET], [MARKET]]
    assert bench.shelf.unserved() == []
