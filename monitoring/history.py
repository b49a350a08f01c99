"""What was decided, asked and answered before, folded from the alert log of one market. Pure."""

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

# After these steps the triggers rest; the others go on with the same ones.
FINAL = (NextStep.NOTHING, NextStep.RETRAIN, NextStep.CALL_PERSON)
ENDED = (RequestStatus.DONE, RequestStatus.FAILED, RequestStatus.REFUSED)


class History(Struct, frozen=True):
    """As the policy needs it."""

    decided_ms: Mapping[Trigger, int] = {}  # when each trigger last came to an end
    retrained_ms: tuple[int, ...] = ()  # when retraining was asked for
    open_request: str | None = None  # a retraining that has not ended
    asked_ms: int | None = None  # a pre-flight, since the last end
    measured: PreflightMeasured | None = None  # its answer


def of_log(messages: Iterable[AnyAlertMessage], market: str) -> History:
    """Fold the messages, in the order of the log; those of other markets are passed over."""
    history = History()
    for message in messages:
        if message.market == market:
            history = after(history, message)
    return history


def after(history: History, message: AnyAlertMessage) -> History:
    """The history with one message more."""
    if isinstance(message, Decision) and message.next_step in FINAL and message.triggers:
        ended = dict.fromkeys(message.triggers, message.decided_ms)
        decided = {**history.decided_ms, **ended}
        return replace(history, decided_ms=decided, asked_ms=None, measured=None)
    if isinstance(message, PreflightRequested):
        return replace(history, asked_ms=message.requested_ms, measured=None)
    if isinstance(message, PreflightMeasured):
        return replace(history, measured=message)
    if isinstance(message, RetrainRequested):
        asked = (*history.retrained_ms, message.requested_ms)
        return replace(history, retrained_ms=asked, open_request=message.request_id)
    if isinstance(message, RequestAnswered) and message.status in ENDED:
        return _ended(history, message.request_id)
    return history


def _ended(history: History, request_id: str) -> History:
    return replace(history, open_request=None) if request_id == history.open_request else history
