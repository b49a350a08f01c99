"""A new champion that is worse is left, one that is not stays; chance decides neither."""

import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from monitoring import criteria, probation
from monitoring.evidence import summed
from monitoring.policy import Errors, Now
from monitoring.probation import Trial, Verdict
from stream_app.contract.alerts import NextStep, Trigger
from stream_app.contract.spans import DAY_MS

C = criteria.shipped()
BEFORE = Errors(0.100, 0.004, 500)
TRIAL = Trial(
    market="hdb",
    version="v2",
    before="v1",
    errors=None,
    errors_before=BEFORE,
    promised=Errors(0.090, 0.004, 500),
    began_ms=0,
)


def judge(errors: Errors | None, days: int = 20) -> Verdict:
    return probation.judge(replace(TRIAL, errors=errors), days * DAY_MS, C)


@pytest.mark.parametrize(
    ("errors", "changes", "step"),
    [
        (None, {}, NextStep.WAIT),
        (Errors(0.095, 0.006, 199), {}, NextStep.WAIT),
        (Errors(0.095, 0.006, 200), {}, NextStep.CONFIRM),
        (Errors(0.200, 0.020, 49), {}, NextStep.WAIT),
        (Errors(0.200, 0.020, 50), {}, NextStep.ROLL_BACK),
        (Errors(0.104, 0.001, 300), {"errors_before": Errors(0.1, 0.001, 500)}, NextStep.CONFIRM),
        (Errors(0.115, 0.010, 200), {}, NextStep.CONFIRM),
        (Errors(0.125, 0.006, 200), {"errors_before": None}, NextStep.CALL_PERSON),
        (Errors(0.125, 0.006, 200), {"errors_before": None, "promised": None}, NextStep.CONFIRM),
        (
            Errors(0.125, 0.006, 200),
            {"errors_before": Errors(0.12, 0.006, 500)},
            NextStep.ROLL_BACK,
        ),
        (Errors(0.125, 0.006, 200), {"errors_before": Errors(0.16, 0.006, 500)}, NextStep.CONFIRM),
    ],
    ids=[
        "no label yet",
        "too few to confirm",
        "no worse",
        "too few to roll back",
        "worse, early",
        "worse by little",
        "worse by chance",
        "far from its promise, nothing to hold it against",
        "nothing known",
        "far from its promise, and the one before was no worse",
        "far from its promise, and better than the one before",
    ],
)
def test_a_verdict_follows_from_the_errors(
    errors: Errors | None, changes: dict[str, object], step: NextStep
) -> None:
    trial = replace(TRIAL, errors=errors, **changes)

    verdict = probation.judge(trial, 20 * DAY_MS, C)

    assert verdict.step is step
    assert verdict.reasons


def test_a_market_that_sells_little_is_not_kept_waiting_for_ever() -> None:
    few = Errors(0.095, 0.02, 12)

    assert judge(few, days=59).step is NextStep.WAIT
    assert judge(few, days=60).step is NextStep.CONFIRM


def test_the_decision_says_who_was_judged_and_by_which_clocks() -> None:
    decided = probation.decide(
        replace(TRIAL, errors=Errors(0.2, 0.02, 50)), Now(DAY_MS, 2 * DAY_MS), C
    )

    assert (decided.next_step, decided.triggers) == (NextStep.ROLL_BACK, (Trigger.PROBATION,))
    assert (decided.champion, decided.market_ms, decided.decided_ms) == ("v2", DAY_MS, 2 * DAY_MS)
    assert decided.reasons == (
        "v2: error 0.200 on 50 labels; v1: error 0.100 on 500 labels",
        "+100.0% against v1, beyond chance",
    )


Judge = Callable[[Trial, int], Verdict]


def ends(judge: Judge, factor: float) -> list[NextStep]:
    """How 40 probations end, judged at each label; the new champion's errors are times `factor`."""
    found: list[NextStep] = []
    for seed in range(40):
        draw = random.Random(seed)
        before = summed(abs(draw.gauss(0, 0.125)) for _ in range(500))
        errors = [abs(draw.gauss(0, 0.125 * factor)) for _ in range(50)]
        step: NextStep = NextStep.WAIT
        while step is NextStep.WAIT:
            errors += [abs(draw.gauss(0, 0.125 * factor)) for _ in range(5)]
            trial = replace(TRIAL, errors=summed(errors), errors_before=before, promised=before)
            step = judge(trial, DAY_MS).step
        found.append(step)
    return found


def check_verdicts(judge: Judge) -> None:
    """Of 40 that are as good chance rolls back one at most; of 40 that are 40 % worse few stay."""
    assert ends(judge, 1.0).count(NextStep.ROLL_BACK) <= 1
    assert ends(judge, 1.4).count(NextStep.ROLL_BACK) >= 36


def test_chance_rolls_back_hardly_anybody_and_a_worse_one_is_left() -> None:
    check_verdicts(lambda trial, now_ms: probation.judge(trial, now_ms, C))


@pytest.mark.parametrize(
    "planted",
    [
        replace(C, error_rise_errors=0.5),
        replace(C, error_rise_max=2.0, probation_miss_max=2.0),
    ],
    ids=["takes chance for a fault", "forgives everything"],
)
def test_the_check_catches_a_judge_that(planted: criteria.Criteria) -> None:
    with pytest.raises(AssertionError):
        check_verdicts(lambda trial, now_ms: probation.judge(trial, now_ms, planted))
