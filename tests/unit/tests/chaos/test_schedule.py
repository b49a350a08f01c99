"""The schedule is drawn by the seed alone, and leaves no kind of fault out."""

import pytest

from tests.chaos.schedule import (
    BROKER_KINDS,
    LEARNER,
    LEARNER_KINDS,
    Kind,
    ends_explained,
    schedule,
)

ALL_BUT_LEAVE = len(Kind) - 1


def test_the_same_seed_draws_the_same_faults() -> None:
    assert schedule(7, 50, True) == schedule(7, 50, True)
    assert schedule(7, 50, True) != schedule(8, 50, True)


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_comes_once_before_any_comes_twice(seed: int) -> None:
    drawn = [fault.kind for fault in schedule(seed, ALL_BUT_LEAVE, True)]

    assert set(drawn) == set(Kind) - {Kind.LEAVE}


@pytest.mark.parametrize("seed", range(20))
def test_a_worker_leaves_only_after_it_joined(seed: int) -> None:
    joins = [
        fault.kind for fault in schedule(seed, 200, True) if fault.kind in (Kind.JOIN, Kind.LEAVE)
    ]

    assert joins == ([Kind.JOIN, Kind.LEAVE] * len(joins))[: len(joins)]


def test_a_broker_that_others_use_is_left_alone() -> None:
    assert not {fault.kind for fault in schedule(1, 300, False)} & set(BROKER_KINDS)


def test_learners_are_hit_by_what_can_hit_them() -> None:
    hit = {fault.kind for fault in schedule(1, 500, True) if fault.stage == LEARNER}

    assert hit == set(LEARNER_KINDS)


@pytest.mark.parametrize(
    ("kind", "ends"), [(Kind.BROKER_KILL, 4), (Kind.ZOMBIE, 1), (Kind.SIGKILL, 0), (Kind.JOIN, 0)]
)
def test_only_what_freezes_a_worker_or_fails_its_broker_explains_its_end(
    kind: Kind, ends: int
) -> None:
    planned = [fault for fault in schedule(1, 100, True) if fault.kind is kind]

    assert ends_explained(planned, workers=4) == ends * len(planned)
