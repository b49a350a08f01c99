"""What the retraining worker does next. Only decides; worker_loop.py does it.

Theory of operation
-------------------
All that is known of a request is what the topic says of it (requests.py). So a decision is
a function of the topic, and of which commands run in this process right now; a worker that
is killed anywhere decides the same when it starts again. An answer is written before what it
announces begins. A step that is said to run and does not is begun again: each of them may
run twice with the outcome of once (train finds its finished run by the request's id, gate
and preflight only look, promote and rollback do nothing where it is done).

One pre-flight or training at a time, in the order asked. A roll back is begun at once,
beside whatever runs.

Whether it is a good idea to retrain is not judged here, nor how often: monitoring does.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from stream_app.contract.alerts import (
    AnyAlertMessage,
    AnyRequest,
    PreflightRequested,
    RequestAnswered,
    RequestStatus,
    RetrainRequested,
    RollbackRequested,
    WorkStep,
)
from stream_app.contract.requests import Asked, Requests

# A step that is killed with its worker each time would be begun for ever: more often than a
# day of restarts and deployments explains is its own fault.
STARTS_MAX = 5
ATTEMPTS_MAX = 2  # a fault around us is given one more try

_FIRST: Mapping[type[AnyRequest], WorkStep] = {
    PreflightRequested: WorkStep.PREFLIGHT,
    RetrainRequested: WorkStep.TRAIN,
}


class Now(NamedTuple):
    """What is known beside the topic."""

    at_ms: int
    running: frozenset[str] = frozenset()  # requests with a command in this process
    champions: Mapping[str, str] = {}  # market -> version that serves
    promotes: bool = False  # a passed gate promotes, where the request does not say


class Next(NamedTuple):
    """Say this, then begin that."""

    messages: tuple[AnyAlertMessage, ...]
    request: AnyRequest
    begin: WorkStep | None = None
    again: bool = False  # after a fault around us: wait a little


def decide(requests: Requests, now: Now) -> Next | None:
    """The next thing to do; None: nothing, until something is asked or ends."""
    for asked in requests.values():
        if asked.status is None:
            return _answer(asked, requests, now)
    for asked in requests.values():
        if isinstance(asked.request, RollbackRequested) and _stands_still(asked, now):
            return begin(asked, WorkStep.ROLLBACK, now)
    if any(_works(requests[name].request) for name in now.running):
        return None
    waiting = sorted(_next_steps(requests), key=lambda found: found[0])
    return _go_on(waiting[0][1], now) if waiting else None


def _works(request: AnyRequest) -> bool:
    """Whether it takes the one place there is for work."""
    return not isinstance(request, RollbackRequested)


def _answer(asked: Asked, requests: Requests, now: Now) -> Next:
    """Accept a request that nobody has answered, or refuse it; a roll back begins."""
    request = asked.request
    if isinstance(request, RollbackRequested):
        return _answer_rollback(asked, request, now)
    busy = next(
        (
            f"busy: {other.request.request_id} is {other.status}"
            for other in requests.values()
            if other.status is not None
            and other.open
            and other.request.market == request.market
            and type(other.request) is type(request)
        ),
        None,
    )
    if busy is not None:
        return say(asked, now, status=RequestStatus.REFUSED, reason=busy)
    return say(asked, now, status=RequestStatus.ACCEPTED)


def _answer_rollback(asked: Asked, request: RollbackRequested, now: Now) -> Next:
    leave = request.leave_version or now.champions.get(request.market)
    if leave is None:
        reason = "no champion is announced"
        return say(asked, now, status=RequestStatus.REFUSED, reason=reason)
    return begin(asked, WorkStep.ROLLBACK, now, version=leave)


def _stands_still(asked: Asked, now: Now) -> bool:
    """Whether it is said to run, and does not."""
    is_running = asked.request.request_id in now.running
    return asked.status is RequestStatus.RUNNING and not is_running


def _next_steps(requests: Requests) -> Iterator[tuple[int, Asked]]:
    """Work that may go on now; what was begun comes first."""
    for asked in requests.values():
        if not _works(asked.request):
            continue
        if asked.status is RequestStatus.RUNNING:
            yield 0, asked
        elif asked.status is RequestStatus.ACCEPTED or _is_approved(asked):
            yield 1, asked


def _is_approved(asked: Asked) -> bool:
    """Whether a person has said yes or no to what waits."""
    return asked.status is RequestStatus.WAITING and asked.approval is not None


def _go_on(asked: Asked, now: Now) -> Next:
    answer, approval = asked.answer, asked.approval
    assert answer is not None  # noqa: S101 - it was accepted
    if answer.status is RequestStatus.ACCEPTED:
        return begin(asked, _FIRST[type(asked.request)], now)
    if answer.status is RequestStatus.WAITING and approval is not None:
        if not approval.approved:
            reason = f"not approved by {approval.approved_by}: {approval.reason}".rstrip(": ")
            return say(asked, now, status=RequestStatus.DONE, reason=reason)
        return begin(asked, WorkStep.PROMOTE, now)
    assert answer.step is not None  # noqa: S101 - it runs
    return begin(asked, answer.step, now, attempt=answer.attempt)


def begin(asked: Asked, step: WorkStep, now: Now, **known: object) -> Next:
    """Say that a step runs, and begin it; unless it was begun too often."""
    if asked.starts.get(step, 0) >= STARTS_MAX:
        reason = f"{step} was begun {STARTS_MAX} times and never came to an end"
        return say(asked, now, status=RequestStatus.FAILED, reason=reason)
    known = {"attempt": 1, "reason": "", **known}
    said = say(asked, now, status=RequestStatus.RUNNING, step=step, **known)
    return said._replace(begin=step)


def say(asked: Asked, now: Now, **known: object) -> Next:
    """Answer with what is new; what was known of the request stays."""
    request = asked.request
    before = asked.answer or RequestAnswered(
        request_id=request.request_id,
        market=request.market,
        answered_ms=now.at_ms,
        status=RequestStatus.ACCEPTED,
    )
    answer = msgspec.structs.replace(before, **{"answered_ms": now.at_ms, **known})
    return Next((answer,), request)
