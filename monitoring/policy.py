"""When is a market's model retrained? Only decides: who calls it gathers before and publishes after.

Theory of operation
-------------------
One evaluation sees all that was found, what was decided before, and the time. In this order:

1. *Bad data first.* What a publisher sends wrong (a unit, nulls, refusals) is in the newest
   labels, and a model trained on them would learn it. Nothing is retrained; a person is
   called, with the publisher's name.
2. *Triggers.* Each holds or not, with its figure. One that came to an end within the cool-down
   rests: so a cause fires once, however often it is looked at.
3. *Objections.* One retraining at a time, none while a new champion is on probation, and a
   budget of the policy's own: a storm of triggers is one run.
4. *Pre-flight.* Whether a retrained model would have done better is not guessed: offline
   measures it on request. It saves enough: retrain. It does not: a person is called when
   something drifts, and nothing happens when it was only time. No answer is a reason, too. Who
   asks for a pre-flight on the topic is a trigger: it helps, so it is done.

Every result has its reasons, "no" too. A decision that only waits ends no trigger: the same ones
go on at the next evaluation (history.py). A finding calls once: what was seen when its trigger
last came to an end is no reason any more. Thresholds and why: policy.toml.

Two clocks. What concerns the market (cool-down, budget, schedule, bad data) goes by its own
time, so that a year that is replayed in minutes is decided as it would have been; what concerns
offline (how long an answer takes, how old it is) by the wall's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from monitoring import windows
from monitoring.criteria import Criteria
from monitoring.detectors.finding import Cause, Finding
from monitoring.history import History
from stream_app.contract.alerts import Decision, NextStep, PreflightMeasured, Trigger
from stream_app.contract.counts import counted
from stream_app.contract.spans import DAY_MS, HOUR_MS

BAD_DATA = (Cause.UNIT, Cause.NULLS, Cause.REJECTS)
CONCEPT_DRIFT = (Cause.PRICE_LEVEL, Cause.ERROR)
BUDGET_MS = 30 * DAY_MS
# When a model does not help against these, something else is wrong.
DRIFTS = (Trigger.ERROR_RISE, Trigger.CONCEPT_DRIFT, Trigger.FEATURES)


class Errors(Struct, frozen=True):
    """Mean |log error| of served prices in a window, with its standard error."""

    mean: float
    standard_error: float
    n: int


class Evidence(Struct, frozen=True, kw_only=True):
    """What is known about one market now."""

    market: str
    champion: str | None = None  # who serves
    trained_ms: int | None = None  # the newest sale that it was trained on
    probation: str | None = None  # why it cannot be followed by another one yet
    findings: tuple[Finding, ...] = ()  # since the champion was trained
    errors: Errors | None = None  # of the newest labels; None: unknown
    errors_before: Errors | None = None  # as the champion began
    labels_new: int = 0  # since the training


class Now(NamedTuple):
    """Both clocks."""

    market_ms: int
    wall_ms: int


class Call(NamedTuple):
    """A trigger that holds, and why."""

    trigger: Trigger
    words: str


def decide(evidence: Evidence, history: History, now: Now, criteria: Criteria) -> Decision:
    """Say what follows, and why."""
    now_ms = now.market_ms
    bad = _bad_data(evidence, now_ms, criteria)
    calls = [bad] if bad else triggers(evidence, history, now_ms, criteria)
    fresh = [call for call in calls if _rested_h(call, history, now_ms) >= criteria.cooldown_h]
    resting = [
        f"{call.words}; decided {_rested_h(call, history, now_ms):.1f} h ago,"
        f" rests for {criteria.cooldown_h:g} h"
        for call in calls
        if call not in fresh
    ]
    if not fresh:
        quiet = resting or _quiet(evidence)
        return _decision(evidence, now, criteria, NextStep.NOTHING, [], quiet)
    if bad:
        why = [bad.words, "a new model would learn it: no retraining"]
        return _decision(evidence, now, criteria, NextStep.CALL_PERSON, fresh, why)
    step, words = _objection(evidence, history, now_ms, criteria) or _by_preflight(
        fresh, history, now.wall_ms, criteria
    )
    reasons = [*(call.words for call in fresh), words]
    return _decision(evidence, now, criteria, step, fresh, reasons)


def triggers(evidence: Evidence, history: History, now_ms: int, criteria: Criteria) -> list[Call]:
    """All that call for a new model, whether they rest or not."""
    found = (
        _error_rise(evidence, criteria),
        _concept_drift(evidence, history, criteria),
        _features(evidence, history, criteria),
        _labels(evidence, criteria),
        _schedule(evidence, history, now_ms, criteria),
        Call(Trigger.PERSON, history.person) if history.person else None,
    )
    return [call for call in found if call is not None]


def drifted(findings: Sequence[Finding], criteria: Criteria) -> list[Finding]:
    """The inputs that lie apart by more than chance over all of them (Holm), and by enough."""
    newest = {f.segment: f for f in findings if f.cause is Cause.INPUT and f.p_value is not None}
    ordered = sorted(newest.values(), key=lambda finding: finding.p_value or 0.0)
    held = []
    for rank, finding in enumerate(ordered):
        if (finding.p_value or 0.0) > criteria.features_chance_max / (len(ordered) - rank):
            break
        held.append(finding)
    return [finding for finding in held if finding.value >= criteria.feature_effect_min]


def is_bad_data(finding: Finding, now_ms: int, criteria: Criteria) -> bool:
    """Whether it is in the newest labels, or may be."""
    since_ms = now_ms - criteria.bad_data_days * DAY_MS
    return finding.cause in BAD_DATA and finding.seen_ms >= since_ms


def _bad_data(evidence: Evidence, now_ms: int, criteria: Criteria) -> Call | None:
    bad = [f for f in evidence.findings if is_bad_data(f, now_ms, criteria)]
    return Call(Trigger.BAD_DATA, "; ".join(map(_since, bad))) if bad else None


def _since(finding: Finding) -> str:
    """With its day: the same homes sell below on one day what they sell above on another."""
    return f"since {windows.day(finding.since_ms)}: {finding.likely}"


def _error_rise(evidence: Evidence, criteria: Criteria) -> Call | None:
    now, before = evidence.errors, evidence.errors_before
    if now is None or before is None or now.n < criteria.finding_labels_min or not before.mean:
        return None
    rise = now.mean / before.mean - 1
    chance = criteria.error_rise_errors * (now.standard_error**2 + before.standard_error**2) ** 0.5
    if rise <= criteria.error_rise_max or now.mean - before.mean <= chance:
        return None
    words = f"error up by {rise:.1%} to {now.mean:.3f} on {now.n:,} labels"
    return Call(Trigger.ERROR_RISE, f"{words}; {criteria.error_rise_max:.0%} is the limit")


def _concept_drift(evidence: Evidence, history: History, criteria: Criteria) -> Call | None:
    found = [
        f
        for f in evidence.findings
        if f.cause in CONCEPT_DRIFT
        and f.n >= criteria.finding_labels_min
        and _is_fresh(f, Trigger.CONCEPT_DRIFT, history)
    ]
    words = "; ".join(f"{f.segment or 'market'} {_since(f)}" for f in found)
    return Call(Trigger.CONCEPT_DRIFT, words) if found else None


def _features(evidence: Evidence, history: History, criteria: Criteria) -> Call | None:
    found = drifted(evidence.findings, criteria)
    is_news = any(_is_fresh(f, Trigger.FEATURES, history) for f in found)
    if len(found) < criteria.features_min or not is_news:
        return None
    names = ", ".join(str(f.segment).removeprefix("field=") for f in found)
    return Call(Trigger.FEATURES, f"{len(found)} inputs lie apart: {names}")


def _is_fresh(finding: Finding, trigger: Trigger, history: History) -> bool:
    decided_ms = history.decided_ms.get(trigger)
    return decided_ms is None or finding.seen_ms > decided_ms


def _labels(evidence: Evidence, criteria: Criteria) -> Call | None:
    if evidence.labels_new <= criteria.labels_new:
        return None
    return Call(Trigger.LABELS, f"{evidence.labels_new:,} labels since the training")


def _schedule(evidence: Evidence, history: History, now_ms: int, criteria: Criteria) -> Call | None:
    due_ms = last_due_ms(now_ms, criteria)
    done_ms = history.decided_ms.get(Trigger.SCHEDULE), evidence.trained_ms
    if any(at_ms is not None and at_ms >= due_ms for at_ms in done_ms):
        return None
    when = datetime.fromtimestamp(due_ms / 1000, UTC)
    return Call(Trigger.SCHEDULE, f"due since {when:%A %Y-%m-%d %H:%M} UTC")


def last_due_ms(now_ms: int, criteria: Criteria) -> int:
    """When the schedule was last due, at or before now."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    due = now.replace(hour=criteria.schedule_hour, minute=0, second=0, microsecond=0)
    due -= timedelta(days=(now.weekday() - criteria.schedule_weekday) % 7)
    if due > now:
        due -= timedelta(days=7)
    return int(due.timestamp()) * 1000


def _rested_h(call: Call, history: History, now_ms: int) -> float:
    decided_ms = history.decided_ms.get(call.trigger)
    return float("inf") if decided_ms is None else (now_ms - decided_ms) / HOUR_MS


def _objection(
    evidence: Evidence, history: History, now_ms: int, criteria: Criteria
) -> tuple[NextStep, str] | None:
    if history.open_requests:
        return NextStep.WAIT, f"retraining {history.open_requests[0]} has not ended"
    if evidence.probation is not None:
        return NextStep.WAIT, evidence.probation
    lately = sum(now_ms - at_ms < BUDGET_MS for at_ms in history.retrained_ms)
    if lately >= criteria.budget_30d:
        words = f"retrained {lately} times in 30 days, {criteria.budget_30d} is the budget"
        return NextStep.CALL_PERSON, words
    return None


def _by_preflight(
    calls: Sequence[Call], history: History, wall_ms: int, criteria: Criteria
) -> tuple[NextStep, str]:
    asked, measured = history.asked, history.measured
    if measured is not None:
        if wall_ms - measured.measured_ms <= criteria.preflight_age_h * HOUR_MS:
            return _by_measure(calls, measured, criteria)
        asked = None
    if history.failed is not None:
        return _without_help(calls), f"the pre-flight failed: {history.failed}"
    if asked is None:
        return NextStep.PREFLIGHT, "would a retrained model have done better? asked"
    waited_h = (wall_ms - asked.requested_ms) / HOUR_MS
    if waited_h <= criteria.preflight_wait_h:
        return NextStep.WAIT, f"the pre-flight was asked for {waited_h:.1f} h ago"
    return NextStep.CALL_PERSON, f"no answer to the pre-flight in {waited_h:.1f} h: is offline up?"


def _by_measure(
    calls: Sequence[Call], measured: PreflightMeasured, criteria: Criteria
) -> tuple[NextStep, str]:
    words = (
        f"a retrained model saves {measured.saving_log:+.4f}"
        f" ({measured.saving_low_log:+.4f} to {measured.saving_high_log:+.4f})"
        f" of {measured.served_error_log:.4f} on {measured.labels:,} labels"
        f" of {measured.day_blocks} weeks"
    )
    labels, weeks = criteria.preflight_labels_min, criteria.preflight_blocks_min
    enough = measured.labels >= labels and measured.day_blocks >= weeks
    worth = measured.saving_log >= criteria.saving_min * measured.served_error_log
    if enough and worth and measured.saving_low_log > 0:
        return NextStep.RETRAIN, words
    needed = f"{criteria.saving_min:.1%} beyond chance on {labels} labels of {weeks} weeks wanted"
    return _without_help(calls), f"{words}; {needed}"


def _without_help(calls: Sequence[Call]) -> NextStep:
    """What follows when no model helps: for what drifts a person, for what was only time nothing."""
    drifts = any(call.trigger in DRIFTS for call in calls)
    return NextStep.CALL_PERSON if drifts else NextStep.NOTHING


def told(errors: Errors | None) -> str:
    """An error as a person reads it."""
    if errors is None:
        return "error unknown"
    return f"error {errors.mean:.3f} on {counted(errors.n, 'label')}"


def _quiet(evidence: Evidence) -> list[str]:
    """Why nothing: what was looked at."""
    now, before = evidence.errors, evidence.errors_before
    error = told(now)
    if now is not None and before is not None and before.mean:
        error += f", {now.mean / before.mean - 1:+.1%}"
    found = counted(len(evidence.findings), "finding")
    labels = counted(evidence.labels_new, "new label")
    return [f"nothing calls for it: {error}; {found}, {labels}"]


def _decision(
    evidence: Evidence,
    now: Now,
    criteria: Criteria,
    step: NextStep,
    calls: Sequence[Call],
    reasons: Sequence[str],
) -> Decision:
    return Decision(
        market=evidence.market,
        decided_ms=now.wall_ms,
        market_ms=now.market_ms,
        champion=evidence.champion,
        retrain=step is NextStep.RETRAIN,
        reasons=tuple(reasons),
        next_step=step,
        triggers=tuple(call.trigger for call in calls),
        criteria=criteria.fingerprint(),
    )
