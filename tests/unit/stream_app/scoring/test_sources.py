"""Whose labels are learned from, on a handful of sources."""

import random

import msgspec
import pytest

from stream_app.core.region import Sources
from stream_app.scoring import sources
from stream_app.scoring.sources import LEARNED_HALF_LIFE, NAMES_MAX, NEWCOMER, admit


def told(known: Sources, name: str, residual_log: float, times: int) -> list[bool]:
    return [admit(known, name, residual_log) for _ in range(times)]


def with_registry(labels: int = 100) -> Sources:
    known = Sources()
    assert all(told(known, "registry", 0.0, labels))
    return known


def test_a_source_alone_is_learned_from_whatever_it_says() -> None:
    assert all(told(Sources(), "only", 5.0, 300))


def test_a_newcomer_that_agrees_is_believed_at_once() -> None:
    assert all(told(with_registry(), "new", 0.01, NEWCOMER + 5))


def test_a_newcomer_of_another_kind_of_homes_is_believed() -> None:
    assert all(told(with_registry(), "dearer", 0.12, 300))


def test_a_newcomer_is_not_taken_to_scatter_less_than_the_others() -> None:
    known, draw = Sources(), random.Random(0)
    assert all(admit(known, "registry", draw.gauss(0.0, 0.15)) for _ in range(100))

    assert told(known, "new", 0.3, 5) == [True, True, False, False, False]


def test_newcomers_are_judged_together_too() -> None:
    known, draw = Sources(), random.Random(0)
    assert all(admit(known, "registry", draw.gauss(0.0, 0.15)) for _ in range(100))

    answers = [admit(known, f"new-{n}", 0.4) for n in range(60)]

    assert answers.index(False) < 10
    assert not any(answers[10:])
    assert all(admit(known, "registry", draw.gauss(0.0, 0.15)) for _ in range(50))


@pytest.mark.parametrize("names", [1, 5, 20, 50, 200])
def test_honest_labels_are_learned_however_many_send_them(names: int) -> None:
    known, draw = Sources(), random.Random(names)

    year = [admit(known, f"s-{draw.randrange(names)}", draw.gauss(0.0, 0.15)) for _ in range(300)]

    assert sum(year) >= 0.95 * 300


def test_a_newcomer_beside_hardly_anybody_is_believed_at_once() -> None:
    assert all(told(with_registry(labels=10), "new", 0.01, 5))


def test_one_that_contradicts_all_others_is_left_out_and_they_are_not() -> None:
    known = with_registry()

    assert not any(told(known, "wrong", 0.4, 200))
    assert all(told(known, "registry", 0.0, 50))
    assert sources.left_out(known) == {"wrong": 200}


def test_one_that_turns_is_noticed_within_ten_labels() -> None:
    known = with_registry()
    told(known, "turns", 0.0, 100)

    answers = told(known, "turns", -0.69, 100)

    assert answers.index(False) < 10
    assert not any(answers[10:])


def test_one_that_agrees_again_is_learned_from_again() -> None:
    known = with_registry()
    told(known, "wrong", 0.4, 100)

    answers = told(known, "wrong", 0.0, 60)

    assert answers[0] is False
    assert all(answers[50:])


def test_a_difference_that_chance_explains_is_none() -> None:
    known = with_registry()
    told(known, "noisy", 0.0, NEWCOMER)
    swings = [admit(known, "noisy", 0.5 if n % 2 else -0.4) for n in range(100)]

    assert all(swings)


def test_a_flood_does_not_wash_away_who_goes_on_speaking() -> None:
    known = with_registry()

    for _ in range(300):
        assert admit(known, "registry", 0.0)
        assert not any(told(known, "wrong", 0.4, 19))


def test_a_source_that_fell_silent_does_not_hold_the_rest_for_ever() -> None:
    known = with_registry()

    assert not any(told(known, "new level", 0.3, 2 * LEARNED_HALF_LIFE))
    told(known, "new level", 0.3, LEARNED_HALF_LIFE)
    assert all(told(known, "new level", 0.3, 30))


def test_names_beyond_the_limit_share_a_record() -> None:
    known = Sources()
    for number in range(NAMES_MAX + 10):
        admit(known, f"s-{number}", 0.0)

    assert len(known.by_name) == NAMES_MAX + 1
    assert known.by_name[""].labels == 10


def test_what_is_known_of_sources_comes_back_as_it_was() -> None:
    known = with_registry()
    told(known, "wrong", 0.4, 30)

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(known), type=Sources) == known
