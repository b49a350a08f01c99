"""Was the promotion right? A new champion's answers, held against those of the one before. Pure.

Theory of operation
-------------------
A gate judges on sales of the past; here the answers are judged that homes were really given. Of
the new champion those of the first homes that it answered and that are sold, of the one before
its newest: they are sold in about the same weeks, since many homes that it answered sell after the
swap. In this order:

1. *Worse than the one before*, by enough and beyond chance: roll back.
2. *Far from what its holdout promised*, and no better than the one before: roll back, for whatever
   it was promoted for is not there.
3. *Enough labels*: confirm. Or *enough time*, for a market that sells little.
4. Else go on. Until then the policy trains nobody else: two changes at once cannot be told apart.

The one before may be unknown (no sale of a home that it answered). Then a broken promise calls a
person: nobody can say that going back helps. What both live through, as a shock in these weeks, is
on both sides only as far as the newest labels of the one before reach into them.
"""

import math
from typing import NamedTuple

from msgspec import Struct

from monitoring.criteria import Criteria
from monitoring.policy import Errors, Now, told
from stream_app.contract.alerts import Decision, NextStep, Trigger
from stream_app.contract.counts import counted
from stream_app.contract.spans import DAY_MS


class Trial(Struct, frozen=True, kw_only=True):
    """A new champion, and what is known of it. Errors are of answers; None: unknown."""

    market: str
    version: str
    before: str  # the champion before
    errors: Errors | None
    errors_before: Errors | None
    promised: Errors | None  # of its holdout, the model alone
    began_ms: int  # by the market's time


class Verdict(NamedTuple):
    """WAIT is to go on."""

    step: NextStep
    reasons: tuple[str, ...]


def decide(trial: Trial, now: Now, criteria: Criteria) -> Decision:
    """The verdict as a decision that is recorded."""
    verdict = judge(trial, now.market_ms, criteria)
    return Decision(
        market=trial.market,
        decided_ms=now.wall_ms,
        market_ms=now.market_ms,
        retrain=False,
        reasons=verdict.reasons,
        next_step=verdict.step,
        triggers=(Trigger.PROBATION,),
        champion=trial.version,
        criteria=criteria.fingerprint(),
    )


def judge(trial: Trial, now_ms: int, criteria: Criteria) -> Verdict:
    """Confirm, roll back, call a person, or go on; and why."""
    errors, days = trial.errors, (now_ms - trial.began_ms) / DAY_MS
    labels = 0 if errors is None else errors.n
    is_over = days >= criteria.probation_days_max
    if errors is not None and labels >= criteria.probation_labels_min:
        speaks_against = _against(trial, errors, criteria)
        if speaks_against is not None:
            return speaks_against
        is_over = is_over or labels >= criteria.probation_labels
    time = counted(round(days), "day")
    if is_over:
        return Verdict(NextStep.CONFIRM, (_figures(trial), f"nothing against it in {time}"))
    words = f"{trial.version} is on probation until {criteria.probation_labels} labels of its own"
    return Verdict(NextStep.WAIT, (words, f"{labels} so far, in {time}"))


def _against(trial: Trial, errors: Errors, criteria: Criteria) -> Verdict | None:
    before, promised = trial.errors_before, trial.promised
    figures = _figures(trial)
    if before is not None and _is_above(errors, before, criteria.error_rise_max, criteria):
        words = f"{errors.mean / before.mean - 1:+.1%} against {trial.before}, beyond chance"
        return Verdict(NextStep.ROLL_BACK, (figures, words))
    if promised is None or not _is_above(errors, promised, criteria.probation_miss_max, criteria):
        return None
    words = f"its holdout promised {promised.mean:.3f}"
    if before is None:
        return Verdict(NextStep.CALL_PERSON, (figures, words, f"{trial.before} is not known"))
    if _is_above(before, errors, 0, criteria):  # far from the promise, and still the better one
        return None
    return Verdict(NextStep.ROLL_BACK, (figures, words, f"{trial.before} was no worse"))


def _is_above(errors: Errors, other: Errors, by: float, criteria: Criteria) -> bool:
    """Whether they are larger, by this share and beyond chance."""
    chance = criteria.error_rise_errors * math.hypot(errors.standard_error, other.standard_error)
    rise = errors.mean - other.mean
    return rise > by * other.mean and rise > chance


def _figures(trial: Trial) -> str:
    return f"{trial.version}: {told(trial.errors)}; {trial.before}: {told(trial.errors_before)}"
