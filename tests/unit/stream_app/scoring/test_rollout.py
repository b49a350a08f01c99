"""Listings are dealt to arms by their id: evenly, for ever, and the same in every process."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from stream_app.contract.predictions import Arm
from stream_app.scoring.rollout import arm_of

IDS = 100_000
SHAPES: tuple[Callable[[int], str], ...] = (
    lambda number: f"kc-{number}",
    lambda number: f"{number:08d}",
    lambda number: f"hdb-2015-{number}-x",
)


@pytest.mark.parametrize("share", [0.02, 0.10, 0.50])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_share_is_kept_over_many_ids(shape: Callable[[int], str], share: float) -> None:
    dealt = sum(arm_of(shape(number), share) is Arm.CHALLENGER for number in range(IDS))

    # Five standard deviations of fair dice.
    assert abs(dealt - share * IDS) < 5 * (IDS * share * (1 - share)) ** 0.5


@pytest.mark.parametrize(
    ("listing_id", "place"),
    [("kc-7129300520-1", 0.9410), ("hdb-1", 0.1690), ("kc-1", 0.5398), ("\ud800", 0.9178)],
)
def test_known_listings_stay_where_they_are(listing_id: str, place: float) -> None:
    """A change of the hash would deal all listings anew in the middle of a comparison."""
    assert arm_of(listing_id, place - 0.001) is Arm.CHAMPION
    assert arm_of(listing_id, place + 0.001) is Arm.CHALLENGER


def test_a_larger_share_keeps_the_listings_of_a_smaller_one() -> None:
    ids = [f"kc-{number}" for number in range(2_000)]
    dealt = [{i for i in ids if arm_of(i, share) is Arm.CHALLENGER} for share in (0.1, 0.3, 0.5)]

    assert dealt[0] < dealt[1] < dealt[2]


def dealt_by(expression: str, hash_seed: int) -> str:
    """Arms of 200 listings, dealt in a process of its own."""
    program = (
        "from stream_app.scoring.rollout import arm_of\n"
        f"for number in range(200): print({expression}, end=' ')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return ran.stdout


def check_law(expression: str) -> None:
    assert dealt_by(expression, hash_seed=1) == dealt_by(expression, hash_seed=2)


def test_another_process_deals_the_same() -> None:
    check_law("arm_of(f'kc-{number}', 0.5)")


def test_the_law_catches_a_hash_that_is_salted_anew() -> None:
    with pytest.raises(AssertionError):
        check_law("hash(f'kc-{number}') % 2")
