"""What cannot be opened just now is tried again, for a while, and nobody waits for it."""

import pytest

from stream_app.contract.models import ChampionAnnounced
from stream_app.contract.rejects import ModelUnavailable
from stream_app.shell.shelf import TRIES, Refusal, Shelf
from stream_app.stages.step import Roster
from tests.unit.stream_app.shell.shelf_bench import THREE, Bench, champion, corrector, named


def waiting(shelf_of: type[Shelf] = Shelf) -> Bench:
    """v1 serves, v2 is named and cannot be opened just now."""
    bench = Bench(away={"v2"})
    bench.shelf = shelf_of(bench.open, bench.recheck, bench.alarms.append, lambda: bench.now_s)
    bench.put(*THREE, *named(champion="v1"))
    bench.put(*named(previous="v1", champion="v2"))
    return bench


def check_tried_again(shelf_of: type[Shelf]) -> None:
    bench = waiting(shelf_of)
    assert bench.roster() == Roster("v1", None, "v1")

    bench.away.clear()
    bench.now_s = 1.0
    assert bench.shelf.fill() is None

    assert bench.roster() == Roster("v2", None, "v1")


def test_what_could_not_be_opened_just_now_is_tried_again() -> None:
    check_tried_again(Shelf)


class Hasty(Shelf):
    """Planted: whatever was not opened is refused, as a wrong hash is."""

    def _put_off(
        self, market: object, announced: ChampionAnnounced, error: ModelUnavailable
    ) -> None:
        self._refuse(market, announced, error)  # type: ignore[arg-type]


def test_the_test_catches_one_that_refuses_for_good() -> None:
    with pytest.raises(AssertionError):
        check_tried_again(Hasty)


def test_pauses_grow_to_a_minute_and_the_last_try_refuses() -> None:
    bench = waiting()
    pauses_s = []

    while (pause_s := bench.shelf.fill()) is not None:
        pauses_s.append(pause_s)
        bench.now_s += pause_s

    assert pauses_s == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert bench.opened.count("v2") == TRIES
    assert [(one.version, one.again, one.serves) for one in bench.alarms] == [
        ("v2", True, "v1"),
        ("v2", False, "v1"),
    ]
    assert bench.put(champion("v2")).champion == "v1"  # announced anew: tried anew
    assert bench.opened.count("v2") == TRIES + 1


def test_before_its_time_it_is_not_tried_and_others_are() -> None:
    bench = waiting()
    bench.opened.clear()

    bench.put(*named(challenger="v3"))

    assert bench.opened == ["v3"]
    assert bench.shelf.fill() == 1.0


def test_a_roll_back_does_not_wait_for_what_is_tried_again() -> None:
    bench = waiting()
    bench.opened.clear()

    bench.shelf.put(named(champion="v1", previous="v2"))

    assert bench.roster() == Roster("v1")
    assert bench.opened == []


def test_what_no_alias_names_any_more_is_not_tried_again() -> None:
    bench = waiting()

    bench.put(*named(champion="v3"))

    assert bench.shelf.fill() is None


def test_no_roll_back_waits_for_the_delivery_of_an_alarm() -> None:
    """Whoever holds the lock is waited for."""
    bench = Bench(away={"v2"})
    held: list[bool] = []

    def slow_alarm(_refusal: Refusal) -> None:
        held.append(bench.shelf._lock.locked())

    bench.shelf = Shelf(bench.open, bench.recheck, slow_alarm)
    bench.put(*THREE, champion("bad"), *named(champion="v2", challenger="bad"))
    bench.put(corrector("1", feature_names=("home_log_area",)))

    assert held == [False] * 3
