"""What was decided, asked and answered before, folded from the alert log of one market. Pure.

Decisions carry the market's own time, which cool-down and budget go by; requests and answers
carry the wall clock's, which waiting goes by.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from stream_app.contract.alerts import (
    AnyAlertMessage,
    Decision,
    NextStep,
    PreflightMeasured,
    PreflightRequested,
    RequestAnswered,
    RequestStatus,
    RetrainRequested,
    Trigger,
)
from stream_app.contract.requests import ENDS

POLICY = "policy"  # `requested_by` of what is asked here; anybody else is a person
# After these steps the triggers rest; the others go on with the same ones.
FINAL = (NextStep.NOTHING, NextStep.RETRAIN, NextStep.CALL_PERSON)


class History(Struct, frozen=True):
    """As the policy needs it."""

    decided_ms: Mapping[Trigger, int] = {}  # when each trigger last came to an end
    retrained_ms: tuple[int, ...] = ()  # when the policy decided to retrain
    open_requests: tuple[str, ...] = ()  # retrainings that have not ended, of anybody
    asked: PreflightRequested | None = None  # since the last end
    measured: PreflightMeasured | None = None  # its answer
    failed: str | None = None  # why there is none
    person: str | None = None  # who asked for a pre-flight, and why
    last: Decision | None = None  # of the policy
    probation: Decision | None = None  # the last on a probation
    judged: Mapping[str, NextStep] = {}  # how the probation of a version ended


def of_log(messages: Iterable[AnyAlertMessage], market: str) -> History:
    """Fold the messages, in the order of the log; those of other markets are passed over."""
    history = History()
    for message in messages:
        if message.market == market:
            history = after(history, message)
    return history


def at_ms(decision: Decision) -> int:
    """When it was decided, by the market's time; of before there was any, by the clock."""
    return decision.decided_ms if decision.market_ms is None else decision.market_ms


def after(history: History, message: AnyAlertMessage) -> History:
    """The history with one message more."""
    match message:
        case Decision() if Trigger.PROBATION in message.triggers:
            return _probation(history, message)
        case Decision():
            return _decided(history, message)
        case PreflightRequested():
            return _asked(history, message)
        case PreflightMeasured():
            return replace(history, measured=message, failed=None)
        case RetrainRequested():
            return replace(history, open_requests=(*history.open_requests, message.request_id))
        case RequestAnswered() if message.status in ENDS:
            return _ended(history, message)
    return history


def _decided(history: History, decision: Decision) -> History:
    history = replace(history, last=decision)
    if decision.retrain:
        history = replace(history, retrained_ms=(*history.retrained_ms, at_ms(decision)))
    if decision.next_step not in FINAL or not decision.triggers:
        return history
    ended = dict.fromkeys(decision.triggers, at_ms(decision))
    return replace(
        history,
        decided_ms={**history.decided_ms, **ended},
        asked=None,
        measured=None,
        failed=None,
        person=None if Trigger.PERSON in decision.triggers else history.person,
    )


def _probation(history: History, decision: Decision) -> History:
    history = replace(history, probation=decision)
    if decision.next_step is NextStep.WAIT or decision.champion is None:
        return history
    return replace(history, judged={**history.judged, decision.champion: decision.next_step})


def _asked(history: History, request: PreflightRequested) -> History:
    if request.requested_by != POLICY:
        who = request.requested_by or "somebody"
        history = replace(history, person=f"{who} asks: {'; '.join(request.reasons)}")
    if history.asked is not None and history.measured is None and history.failed is None:
        return history  # offline takes one at a time: the answer to the first will do
    return replace(history, asked=request, measured=None, failed=None)


def _ended(history: History, answer: RequestAnswered) -> History:
    left = tuple(name for name in history.open_requests if name != answer.request_id)
    history = replace(history, open_requests=left)
    is_asked = history.asked is not None and history.asked.request_id == answer.request_id
    # Refused is who asked beside another one: that one's answer comes.
    if is_asked and answer.status is RequestStatus.FAILED:
        return replace(history, failed=answer.reason)
    return history
