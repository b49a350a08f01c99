"""What is shown of a message: one line in plain words, or none. Pure."""

from demo.story import chronicle
from stream_app.contract.alerts import (
    Alert,
    AnyAlertMessage,
    Decision,
    NextStep,
    PreflightMeasured,
    RequestAnswered,
    RequestStatus,
    RolledBack,
    Trigger,
    WorkStep,
)

NEXT = {
    NextStep.PREFLIGHT: "asks for a pre-flight",
    NextStep.RETRAIN: "RETRAIN",
    NextStep.CALL_PERSON: "calls a person, retrains nothing",
    NextStep.NOTHING: "nothing to do",
    NextStep.CONFIRM: "CONFIRMED",
    NextStep.ROLL_BACK: "ROLL BACK",
}


def line(message: AnyAlertMessage) -> str | None:
    """What a person is shown; None: nothing new."""
    match message:
        case Alert() if chronicle.is_finding(message):
            where = "" if message.segment is None else f" ({message.segment})"
            return f"DETECTED {message.cause}{where}: {message.summary}"
        case Decision():
            return _decision(message)
        case PreflightMeasured():
            return (
                f"pre-flight: error {message.served_error_log:.4f} as served, "
                f"{message.retrained_error_log:.4f} retrained, on {message.labels:,} labels"
            )
        case RequestAnswered():
            return _answer(message)
        case RolledBack():
            return f"ROLLED BACK from {message.from_version} to {message.to_version}"
    return None


def _decision(decision: Decision) -> str | None:
    if decision.next_step is NextStep.WAIT or not decision.triggers:
        return None
    why = "; ".join(decision.reasons)
    if Trigger.PROBATION in decision.triggers:
        return f"probation: {NEXT[decision.next_step]}: {why}"
    return f"decides: {NEXT[decision.next_step]}: {why}"


def _answer(answer: RequestAnswered) -> str | None:
    if answer.status is RequestStatus.RUNNING:
        return {
            WorkStep.TRAIN: "trains a challenger on all that was sold",
            WorkStep.GATE: f"gate: {answer.version} against the champion",
            WorkStep.PROMOTE: f"gate PASSED: promotes {answer.version}",
        }.get(answer.step or WorkStep.PREFLIGHT)
    if answer.status is RequestStatus.FAILED:
        return f"FAILED {answer.request_id}: {answer.reason}"
    if answer.promoted:
        return f"PROMOTED {answer.version}"
    if answer.gate_passed is False:
        return f"gate NOT PASSED: {'; '.join(answer.gate_reasons)}"
    return None
