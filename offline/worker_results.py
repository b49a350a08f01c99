"""How a step ended, and what follows for its request. Only decides."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import NamedTuple

import msgspec

from offline.worker import ATTEMPTS_MAX, Next, Now, begin, say
from stream_app.contract.alerts import (
    PreflightMeasured,
    RequestStatus,
    RetrainRequested,
    RolledBack,
    WorkStep,
)
from stream_app.contract.requests import Asked


class Fault(Enum):
    """Whose it was that a command failed."""

    NONE = auto()
    ASKED = auto()  # what was asked for cannot be done: trying again changes nothing
    AROUND = auto()  # the broker is away, it was killed, it took too long: may be gone


class Ended(NamedTuple):
    """How a command ended."""

    fault: Fault
    reason: str  # the last that it said on standard error
    result: Mapping[str, object] = {}  # its last line on standard output


def settle(asked: Asked, step: WorkStep, ended: Ended, now: Now) -> Next:
    """What follows from the end of a step."""
    if ended.fault is Fault.NONE:
        return _FOLLOWS[step](asked, ended.result, now)
    answer = asked.answer
    assert answer is not None  # noqa: S101 - it ran
    if ended.fault is Fault.AROUND and answer.attempt < ATTEMPTS_MAX:
        again = begin(asked, step, now, attempt=answer.attempt + 1, reason=ended.reason)
        return again._replace(again=again.begin is not None)
    return say(asked, now, status=RequestStatus.FAILED, reason=ended.reason)


Result = Mapping[str, object]


def _preflight(asked: Asked, result: Result, now: Now) -> Next:
    request = asked.request
    measured = msgspec.convert(
        {
            **result,
            "kind": "preflight_measured",
            "request_id": request.request_id,
            "measured_ms": now.at_ms,
        },
        PreflightMeasured,
    )
    done = say(asked, now, status=RequestStatus.DONE)
    return done._replace(messages=(measured, *done.messages))


def _train(asked: Asked, result: Result, now: Now) -> Next:
    version = str(result["version"])
    if result.get("held") is not None:
        reason = f"held for review: {result['held']}"
        return say(asked, now, status=RequestStatus.DONE, version=version, reason=reason)
    return begin(asked, WorkStep.GATE, now, version=version)


def _gate(asked: Asked, result: Result, now: Now) -> Next:
    passed = result["passed"] is True
    reasons = msgspec.convert(result["reasons"], tuple[str, ...])
    known = {"gate_passed": passed, "gate_reasons": reasons}
    if not passed:
        reason = "the gate is not passed"
        return say(asked, now, status=RequestStatus.DONE, reason=reason, **known)
    request = asked.request
    assert isinstance(request, RetrainRequested)  # noqa: S101 - nothing else is gated
    if now.promotes if request.promote is None else request.promote:
        return begin(asked, WorkStep.PROMOTE, now, **known)
    return say(asked, now, status=RequestStatus.WAITING, **known)


def _promote(asked: Asked, result: Result, now: Now) -> Next:
    del result
    return say(asked, now, status=RequestStatus.DONE, promoted=True, reason="")


def _rollback(asked: Asked, result: Result, now: Now) -> Next:
    request, answer = asked.request, asked.answer
    assert answer is not None  # noqa: S101 - it ran
    rolled_back = RolledBack(
        request_id=request.request_id,
        market=request.market,
        rolled_back_ms=now.at_ms,
        from_version=answer.version or "",
        to_version=str(result["champion"]),
    )
    done = say(asked, now, status=RequestStatus.DONE, reason="")
    return done._replace(messages=(rolled_back, *done.messages))


_FOLLOWS = {
    WorkStep.PREFLIGHT: _preflight,
    WorkStep.TRAIN: _train,
    WorkStep.GATE: _gate,
    WorkStep.PROMOTE: _promote,
    WorkStep.ROLLBACK: _rollback,
}
