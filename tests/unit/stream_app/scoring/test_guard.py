"""A correction that does not help weighs nothing."""

import pytest

from stream_app.core.region import Decayed
from stream_app.scoring.guard import HALF_LIFE, Guard, observe, weight


def guard_after(*errors: tuple[float, float]) -> Guard:
    """A guard that saw these errors of the champion, and of it corrected."""
    guard = Guard(Decayed(), Decayed())
    for champion, corrected in errors:
        observe(guard, champion, corrected)
    return guard


@pytest.mark.parametrize(
    ("champion", "corrected", "weighs"),
    [
        (0.1, 0.05, 1.0),
        (0.1, 0.1, 1.0),
        (0.1, 0.101, 0.5),
        (0.1, 0.102, 0.0),
        (0.1, 0.2, 0.0),
        (0.0, 0.1, 1.0),
    ],
    ids=[
        "helps",
        "no difference",
        "costs 1 %",
        "costs 2 %",
        "harmful",
        "a perfect champion is nothing to compare with",
    ],
)
def test_the_weight_follows_the_errors(champion: float, corrected: float, weighs: float) -> None:
    many = guard_after(*[(champion, corrected)] * 10 * HALF_LIFE)

    assert weight(many) == pytest.approx(weighs, abs=2e-3)


def test_without_labels_the_correction_is_used() -> None:
    assert weight(guard_after()) == 1.0


def test_a_difference_by_chance_takes_little_away_at_first() -> None:
    assert weight(guard_after(*[(0.1, 0.102)] * 200)) == pytest.approx(0.68, abs=0.01)


def test_what_costs_5_percent_is_gone_after_two_versions() -> None:
    assert weight(guard_after(*[(0.1, 0.105)] * 400)) == 0.0


def test_harm_is_forgotten_at_the_half_life() -> None:
    harmed = guard_after((0.1, 0.3))

    for _ in range(HALF_LIFE):
        observe(harmed, 0.0, 0.0)

    assert harmed.corrected.total == pytest.approx(0.15)
