"""What was decided and asked before is folded from the log: who asked first, what ended, what failed."""

from monitoring import history
from monitoring.history import POLICY, History
from stream_app.contract.alerts import (
    AnyAlertMessage,
    NextStep,
    PreflightRequested,
    RequestStatus,
    Trigger,
)
from tests import messages
from tests.builders import MARKET


def asked(**changes: object) -> PreflightRequested:
    common: dict[str, object] = {"requested_by": POLICY}
    return messages.preflight_requested(**common | changes)


def test_a_log_is_folded_into_what_the_policy_needs() -> None:
    retrain = messages.decision(
        retrain=True, next_step=NextStep.RETRAIN, triggers=(Trigger.LABELS,), market_ms=1
    )
    asks = asked()
    log: list[AnyAlertMessage] = [
        retrain,
        messages.retrain_requested(),
        messages.answered(RequestStatus.RUNNING),
        asks,
        messages.preflight_requested(request_id="p-2", market="hdb"),
        messages.preflight_measured(),
        messages.answered(RequestStatus.DONE, request_id="p-1"),
    ]

    folded = history.of_log(log, MARKET)
    ended = history.after(folded, messages.answered(RequestStatus.FAILED))

    assert folded == History(
        decided_ms={Trigger.LABELS: 1},
        retrained_ms=(1,),
        open_requests=("r-1",),
        asked=asks,
        measured=messages.preflight_measured(),
        last=retrain,
    )
    assert ended.open_requests == ()


def test_a_preflight_beside_another_one_waits_for_the_answer_to_the_first() -> None:
    second = asked(request_id="p-9", requested_by="ada")
    refused = messages.answered(RequestStatus.REFUSED, request_id="p-9", reason="busy: p-1")
    failed = messages.answered(RequestStatus.FAILED, request_id="p-1", reason="out of memory")

    waiting = history.of_log([asked(), second, refused], MARKET)

    assert (waiting.asked, waiting.failed) == (asked(), None)
    assert history.after(waiting, failed).failed == "out of memory"


def test_a_retraining_by_hand_takes_nothing_of_the_policys_budget() -> None:
    assert history.of_log([messages.retrain_requested()], MARKET).retrained_ms == ()
