"""`worker`, `request` and `requests`: doing what is asked, asking, and looking."""

import argparse
import getpass
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from offline import alerts_log
from offline.faults import WrongInput
from offline.settings import from_environment
from stream_app.contract import requests
from stream_app.contract.alerts import (
    AnyRequest,
    ApprovalGiven,
    PreflightRequested,
    RequestStatus,
    RetrainRequested,
    RollbackRequested,
)
from stream_app.contract.requests import Asked
from stream_app.contract.settings import KafkaSettings


def work(given: argparse.Namespace) -> dict[str, object]:
    """Do what is asked, until told to stop."""
    from offline import worker_loop
    from offline.worker_steps import command

    kafka, own = from_environment()
    if given.promote is not None:
        own = msgspec.structs.replace(own, worker_promotes=given.promote)
    stopping = worker_loop.stop_on_sigterm()
    worker = worker_loop.Worker(kafka, own, command, alerts_log.AlertsLog(kafka))
    worker.run(stopping, until_idle=given.until_idle)
    return {"answered": worker.answered}


def ask(given: argparse.Namespace) -> dict[str, object]:
    """Put one message on the topic."""
    kafka, _ = from_environment()
    by = given.by or getpass.getuser()
    if given.kind == "approve":
        asked = _waiting(kafka, given.id)
        alerts_log.tell(
            kafka,
            ApprovalGiven(
                request_id=given.id,
                market=asked.request.market,
                approved_ms=_now_ms(),
                approved_by=by,
                approved=not given.decline,
                reason=given.reason,
            ),
        )
        return {"request_id": given.id, "approved": not given.decline}
    request = _request(given, by)
    alerts_log.tell(kafka, request)
    return {"request_id": request.request_id, "market": request.market, "asked": given.kind}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _request(given: argparse.Namespace, by: str) -> AnyRequest:
    name = given.id or f"{given.kind}-{given.market}-{uuid.uuid4().hex[:8]}"
    common = {
        "request_id": name,
        "market": given.market,
        "requested_ms": _now_ms(),
        "reasons": given.reason,
        "requested_by": by,
    }
    kind: type[AnyRequest] = PreflightRequested
    if given.kind == "retrain":
        kind = RetrainRequested
        common |= {"train_to_ms": given.train_to, "promote": given.promote}
    elif given.kind == "rollback":
        kind = RollbackRequested
        common |= {"leave_version": given.leave}
    try:
        return msgspec.convert(common | {"kind": given.kind}, kind)
    except msgspec.ValidationError as error:
        raise WrongInput(f"--id {name!r}: {error}") from None


def _waiting(kafka: KafkaSettings, name: str) -> Asked:
    asked = requests.of(alerts_log.read(kafka)).get(name)
    if asked is None:
        raise WrongInput(f"nobody has asked for {name!r}; see `python -m offline requests list`")
    if asked.status is not RequestStatus.WAITING:
        raise WrongInput(f"{name} does not wait for approval, it is {asked.status or 'not read'}")
    return asked


def show(given: argparse.Namespace) -> dict[str, object]:
    """Where every request stands."""
    kafka, _ = from_environment()
    found = [
        asked
        for asked in reversed(requests.of(alerts_log.read(kafka)).values())
        if given.market in (None, asked.request.market) and (asked.open or not given.open)
    ]
    if given.json:
        return {"requests": msgspec.to_builtins(found)}
    return dict(map(_line, found))


def _line(asked: Asked) -> tuple[str, str]:
    request = asked.request
    at = datetime.fromtimestamp(request.requested_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    return request.request_id, "  ".join((at, request.market, *_standing(asked)))


def _standing(asked: Asked) -> Iterator[str]:
    answer = asked.answer
    if answer is None:
        yield "not read yet"
        return
    yield answer.status if answer.step is None else f"{answer.status} ({answer.step})"
    if answer.version is not None:
        yield answer.version
    if answer.promoted:
        yield "promoted"
    if answer.reason:
        yield answer.reason
