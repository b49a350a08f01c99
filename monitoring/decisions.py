"""What was decided and what followed: the audit trail of the loop, folded from `housing.alerts`. Pure.

A line for each step, in the log's order: the alerts that stood, the decision, what it asked, what
offline answered and measured, the gate, the promotion, and how the probation of that version ended.
"""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from monitoring.alerting import book as books
from monitoring.alerting import raising
from stream_app.contract.alerts import (
    AnyAlertMessage,
    Decision,
    NextStep,
    PreflightMeasured,
    RequestAnswered,
    RolledBack,
    Trigger,
)


class Traced(Struct):
    """A decision, the alerts that stood when it was written, and what followed."""

    decision: Decision
    alerts: tuple[str, ...] = ()
    followed: list[str] = msgspec.field(default_factory=list)


def of_log(messages: Iterable[AnyAlertMessage], market: str | None = None) -> list[Traced]:
    """All decisions (of one market), in the order of the log."""
    book: books.Book = {}
    found: list[Traced] = []
    leads: dict[str, Traced] = {}  # request or promoted version -> the decision that led to it
    for message in messages:
        books.take(book, message)
        if market not in (None, message.market):
            continue
        if isinstance(message, Decision):
            found.append(Traced(message, tuple(_standing(book, message))))
            if message.request_id is not None:
                leads[message.request_id] = found[-1]
        _follow(leads, message)
    return found


def _standing(book: books.Book, decision: Decision) -> Iterator[str]:
    """The alerts on findings, of a decision that was called for."""
    for entry in book.values() if decision.triggers else ():
        alert = entry.alert
        if entry.open and alert.market == decision.market and alert.cause in raising.FINDINGS:
            yield alert.cause if alert.segment is None else f"{alert.cause} ({alert.segment})"


def _follow(leads: dict[str, Traced], message: AnyAlertMessage) -> None:
    match message:
        case PreflightMeasured() | RequestAnswered() | RolledBack():
            led = leads.get(message.request_id)
            if led is not None:
                led.followed.append(_words(message))
                if isinstance(message, RequestAnswered) and message.promoted and message.version:
                    leads[message.version] = led
        case Decision() if Trigger.PROBATION in message.triggers:
            promoted = leads.get(message.champion or "")
            if promoted is not None and message.next_step is not NextStep.WAIT:
                words = f"probation: {message.next_step}: {'; '.join(message.reasons)}"
                promoted.followed.append(words)


def _words(message: PreflightMeasured | RequestAnswered | RolledBack) -> str:
    if isinstance(message, PreflightMeasured):
        return f"measured: a retrained model saves {message.saving_log:+.4f}"
    if isinstance(message, RolledBack):
        return f"rolled back: from {message.from_version} to {message.to_version}"
    step = "" if message.step is None else f" {message.step}"
    told = [message.version, "promoted" if message.promoted else None, message.reason]
    if message.gate_passed is not None:
        told.append(f"gate {'passed' if message.gate_passed else 'not passed'}")
    return ", ".join([f"{message.status}{step}", *(each for each in told if each)])
