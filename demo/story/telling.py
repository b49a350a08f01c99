"""What is shown of a message: one line in plain words, or none. Pure."""

from demo.screen import number, percent
from demo.story import chronicle
from demo.story.summary import Summary
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
        return f"{answer.request_id} came to nothing: {answer.reason}"
    if answer.promoted:
        return f"PROMOTED {answer.version}"
    if answer.gate_passed is False:
        return f"gate NOT PASSED: {'; '.join(answer.gate_reasons)}"
    return None


def ending(summary: Summary) -> list[str]:
    """What a variant came to, in a few lines."""
    return [
        (
            f"{summary.market}, {summary.variant}: {summary.events:,} events, {summary.lost} lost, "
            f"{summary.visible_twice} visible twice, {summary.run_s:.0f} s"
        ),
        f"  noticed   {_noticed(summary)}; before: {summary.false_alarms_before} false alarms",
        f"  decided   {summary.decision or 'nothing'}: {'; '.join(summary.reasons)}",
        f"  done      {_done(summary)}",
        (
            f"  error     {_error(summary.mae_before, summary.mdape_before)} before, "
            f"{_error(summary.mae_during, summary.mdape_during)} since, "
            f"{_error(summary.mae_after, summary.mdape_after)} with a new champion"
        ),
    ]


def _noticed(summary: Summary) -> str:
    if summary.detected_after_labels is None:
        return "nothing"
    named = "" if summary.named_publisher is None else f", by {summary.named_publisher}"
    return (
        f"after {summary.detected_after_events:,} events, {summary.detected_after_planted:,} of them "
        f"planted, {summary.detected_after_labels:,} sales{named}"
    )


def _done(summary: Summary) -> str:
    deeds = {
        "retrained": summary.retrained,
        "promoted": summary.promoted,
        "confirmed": summary.confirmed,
        "rolled back": summary.rolled_back,
    }
    return ", ".join(deed for deed, is_done in deeds.items() if is_done) or "nothing was retrained"


def _error(mae: float | None, mdape: float | None) -> str:
    return f"{number(mae)} ({percent(mdape)})"
