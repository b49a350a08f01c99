"""What the scorer would say to an event, by the contract's own rules. No broker, no history.

What needs history (a conflict, a sale before its listing) only the scorer can tell.
"""

from enum import StrEnum, auto

from msgspec import Struct

from stream_app.contract import rules, wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.rejects import RejectCode, Rejected


class Verdict(StrEnum):
    ACCEPTED = auto()
    REPAIRED = auto()  # believed, but a field had to be read out of text
    REJECTED = auto()


class Judgement(Struct, frozen=True):
    """What would become of one event."""

    verdict: Verdict
    code: RejectCode | None = None  # of a reject
    detail: str = ""


ACCEPTED = Judgement(Verdict.ACCEPTED)


def judge(raw: bytes, now_ms: int) -> Judgement:
    """Judge an event as bytes, as if it were sent at `now_ms`."""
    decoded = wire.decode_event(raw)
    if isinstance(decoded, Rejected):
        return Judgement(Verdict.REJECTED, decoded.code, decoded.detail)
    broken = violation(decoded.event, now_ms)
    if broken is not None:
        return Judgement(Verdict.REJECTED, *broken)
    if decoded.repaired:
        return Judgement(Verdict.REPAIRED, detail=f"read from text: {', '.join(decoded.repaired)}")
    return ACCEPTED


def violation(event: AnyEvent, now_ms: int) -> tuple[RejectCode, str] | None:
    """The first rule that a well-formed event would break at `now_ms`; None if none."""
    return rules.from_future(event, now_ms) or rules.violation(event)
