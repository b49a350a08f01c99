"""An A/B test has one look, at as many mature labels as were asked for before it began."""

import random
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from monitoring import ab_verdict
from monitoring.ab_verdict import Enrolled, State
from monitoring.criteria import shipped
from stream_app.contract.predictions import Arm

CRITERIA = replace(shipped(), ab_effect=0.2)
NEEDED = ab_verdict.labels_needed(1.0, CRITERIA)
ERROR_LOG = 0.1


def homes(
    count: int, challenger_error_log: float = ERROR_LOG, seed: int = 1, share: float = 0.5
) -> Iterator[Enrolled]:
    """Listings of both arms, two in three of them sold."""
    draw = random.Random(seed)
    for number in range(count):
        arm = Arm.CHALLENGER if draw.random() < share else Arm.CHAMPION
        mean = challenger_error_log if arm is Arm.CHALLENGER else ERROR_LOG
        error = draw.expovariate(1 / mean) if draw.random() < 2 / 3 else None
        yield Enrolled(number, f"home-{number}", arm, error)


def judged(enrolled: Iterator[Enrolled] | list[Enrolled], share: float = 0.5) -> ab_verdict.Verdict:
    return ab_verdict.judge(enrolled, share, NEEDED, CRITERIA)


def test_until_there_are_labels_enough_no_error_is_told() -> None:
    verdict = judged(homes(500, challenger_error_log=0.01))

    assert verdict.state is State.RUNNING
    assert verdict.difference is None
    assert max(verdict.labels) < verdict.labels_needed == NEEDED


@pytest.mark.parametrize(
    ("challenger_error_log", "state"),
    [
        (0.06, State.CHALLENGER_BETTER),
        (0.14, State.CHAMPION_BETTER),
        (ERROR_LOG, State.NO_DIFFERENCE),
    ],
)
def test_with_enough_the_nearer_one_is_named(challenger_error_log: float, state: State) -> None:
    assert judged(homes(3_000, challenger_error_log)).state is state


def test_who_asks_again_later_gets_the_same_answer() -> None:
    all_homes = list(homes(6_000, 0.09))
    enough = next(
        n for n in range(1, len(all_homes)) if judged(all_homes[:n]).difference is not None
    )

    assert judged(all_homes[:enough]).difference == judged(all_homes).difference


def peeks(listed: list[Enrolled]) -> bool:
    """The planted fault: whether a comparison of all that is known is ever told."""
    known = {
        arm: [e.error_log for e in listed if e.arm is arm and e.error_log is not None]
        for arm in Arm
    }
    compared = ab_verdict.compare(known[Arm.CHALLENGER], known[Arm.CHAMPION])
    return compared.p_value < CRITERIA.ab_chance_max


def test_looking_often_finds_nothing_that_is_not_there() -> None:
    """A look after every hundredth listing of tests without a difference: one verdict each."""
    found = peeked = 0
    for seed in range(40):
        listed = list(homes(1_600, seed=seed))
        looks = [listed[:n] for n in range(100, 1_601, 100)]
        states = {judged(look).state for look in looks}
        found += bool(states & {State.CHALLENGER_BETTER, State.CHAMPION_BETTER})
        peeked += any(map(peeks, looks))

    assert found <= 6  # 2 are to be expected
    assert peeked > 6


def test_a_deal_that_loses_listings_of_one_arm_is_no_test() -> None:
    lost = [home for home in homes(4_000) if home.arm is Arm.CHAMPION or home.listed_ms % 8]

    verdict = judged(lost)

    assert verdict.state is State.DEAL_BROKEN
    assert verdict.difference is None


def test_a_small_share_is_held_to_what_was_set() -> None:
    assert judged(homes(3_000, share=0.1), share=0.1).state is State.RUNNING
    assert judged(homes(3_000, share=0.2), share=0.1).state is State.DEAL_BROKEN


def test_nobody_enrolled_is_a_test_that_runs() -> None:
    verdict = judged([])

    assert (verdict.state, verdict.deal_p, verdict.labels) == (State.RUNNING, None, (0, 0))


def test_where_little_is_known_of_errors_a_wide_spread_is_assumed() -> None:
    assert ab_verdict.spread_of([0.1, 0.2]) == ab_verdict.SPREAD_UNKNOWN
    assert ab_verdict.spread_of([0.0] * 300) == ab_verdict.SPREAD_UNKNOWN
