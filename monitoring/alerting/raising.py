"""What was found, decided or answered, as alerts: one for each cause. Pure.

A cause is a market, what is wrong, and where (a region, a publisher and its field, a worker);
its fingerprint is the alert's key. Not here: whether it was told before (rounds.py).
"""

from collections.abc import Iterable, Iterator, Sequence

from monitoring import policy
from monitoring.alerting import causes
from monitoring.alerting.causes import Event
from monitoring.alerting.limits import Limits
from monitoring.criteria import Criteria
from monitoring.detectors.finding import Cause, Finding
from stream_app.contract.alerts import (
    Alert,
    AnyAlertMessage,
    Decision,
    NextStep,
    RequestAnswered,
    RequestStatus,
    RolledBack,
    Severity,
)

FINDINGS = frozenset(map(causes.of_finding, Cause))  # the causes that `of_findings` raises


def alert(
    cause: str,
    market: str,
    segment: str | None,
    *,
    raised_ms: int,
    severity: Severity,
    summary: str,
    value: float | None = None,
    baseline: float | None = None,
    sample_size: int = 0,
    likely_cause: str = "",
    since_ms: int | None = None,
) -> Alert:
    """An alert of this cause, with what causes.py tells of it."""
    told = causes.told_of(cause)
    return Alert(
        fingerprint=causes.id_of(market, cause, segment),
        raised_ms=raised_ms,
        market=market,
        cause=cause,
        severity=severity,
        summary=summary,
        value=value,
        baseline=baseline,
        sample_size=sample_size,
        segment=segment,
        action=told.action,
        runbook=causes.runbook_of(cause),
        impact=told.impact,
        likely_cause=likely_cause,
        since_ms=since_ms,
    )


def of_findings(
    findings: Sequence[Finding], now_ms: int, criteria: Criteria, limits: Limits
) -> list[Alert]:
    """What stands in one market now, by its own time: of each cause the newest finding.

    Bad data counts for as long as the policy holds it against a training. A market's price
    level that moved takes those of its parts along; drifted inputs are one cause.
    """
    standing = [
        finding
        for finding in findings
        if finding.cause not in policy.BAD_DATA or policy.is_bad_data(finding, now_ms, criteria)
    ]
    whole = any(f.cause is Cause.PRICE_LEVEL and f.segment is None for f in standing)
    told = {
        (finding.cause, finding.segment): finding
        for finding in sorted(standing, key=lambda finding: finding.since_ms)
        if finding.cause is not Cause.INPUT
        and not (whole and finding.cause is Cause.PRICE_LEVEL and finding.segment is not None)
    }
    raised = [_of_finding(finding, now_ms, limits) for finding in told.values()]
    return raised + _of_inputs(policy.drifted(findings, criteria), now_ms, criteria)


def of_messages(messages: Iterable[AnyAlertMessage]) -> Iterator[Alert]:
    """What offline said that a person should know; of each request its newest answer."""
    answers: dict[str, RequestAnswered] = {}
    for message in messages:
        if isinstance(message, RequestAnswered):
            answers[message.request_id] = message
        elif isinstance(message, RolledBack):
            yield _of_rollback(message)
    for answer in answers.values():
        yield from _of_answer(answer)


def of_decision(decision: Decision, now_ms: int) -> Alert | None:
    """A person is called; `now_ms` by the wall clock, for it is people who wait."""
    if decision.next_step is not NextStep.CALL_PERSON:
        return None
    return alert(
        Event.PERSON_CALLED,
        decision.market,
        "triggers=" + ",".join(decision.triggers),
        raised_ms=now_ms,
        severity=Severity.WARNING,
        summary="; ".join(decision.reasons),
        since_ms=decision.decided_ms,
    )


def _of_finding(finding: Finding, now_ms: int, limits: Limits) -> Alert:
    return alert(
        causes.of_finding(finding.cause),
        finding.market,
        finding.segment,
        raised_ms=now_ms,
        severity=_severity(finding, limits),
        summary=finding.likely,
        value=finding.value,
        baseline=finding.baseline,
        sample_size=finding.n,
        likely_cause=finding.likely,
        since_ms=finding.since_ms,
    )


def _severity(finding: Finding, limits: Limits) -> Severity:
    if finding.cause is Cause.CATEGORY:
        return Severity.INFO
    moved = abs(finding.value - finding.baseline)
    far = finding.cause is Cause.PRICE_LEVEL and moved >= limits.critical_level_log
    worse = finding.cause is Cause.ERROR and finding.value >= (
        limits.critical_error_factor * finding.baseline
    )
    return Severity.CRITICAL if (far or worse) and finding.segment is None else Severity.WARNING


def _of_inputs(drifted: Sequence[Finding], now_ms: int, criteria: Criteria) -> list[Alert]:
    if not drifted:
        return []
    worst = max(drifted, key=lambda finding: finding.value)
    names = ", ".join(str(finding.segment).removeprefix("field=") for finding in drifted)
    many = len(drifted) >= criteria.features_min
    return [
        alert(
            causes.of_finding(Cause.INPUT),
            worst.market,
            None,
            raised_ms=now_ms,
            severity=Severity.WARNING if many else Severity.INFO,
            summary=f"inputs are spread in another way: {names}; the most {worst.segment}",
            value=worst.value,
            baseline=worst.baseline,
            sample_size=worst.n,
            likely_cause=worst.likely,
            since_ms=min(finding.since_ms for finding in drifted),
        )
    ]


def _of_answer(answer: RequestAnswered) -> Iterator[Alert]:
    said = {
        RequestStatus.FAILED: (Event.REQUEST_FAILED, Severity.WARNING, answer.reason),
        RequestStatus.WAITING: (
            Event.APPROVAL_AWAITED,
            Severity.INFO,
            f"{answer.version} has passed the gate: {'; '.join(answer.gate_reasons)}",
        ),
    }
    if answer.status in said:
        cause, severity, words = said[answer.status]
        yield alert(
            cause,
            answer.market,
            f"request={answer.request_id}",
            raised_ms=answer.answered_ms,
            severity=severity,
            summary=f"{answer.request_id}: {words}",
            since_ms=answer.answered_ms,
        )


def _of_rollback(told: RolledBack) -> Alert:
    return alert(
        Event.ROLLED_BACK,
        told.market,
        f"version={told.from_version}",
        raised_ms=told.rolled_back_ms,
        severity=Severity.WARNING,
        summary=f"{told.from_version} is left, {told.to_version} serves again",
        since_ms=told.rolled_back_ms,
    )
