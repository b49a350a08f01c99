"""What the worker does next follows from the topic alone, and from what runs."""

from collections.abc import Sequence

import msgspec
import pytest

from offline import worker
from offline.worker import Next, Now
from offline.worker_results import Ended, Fault, settle
from stream_app.contract import requests, wire
from stream_app.contract.alerts import (
    PreflightMeasured,
    RequestAnswered,
    RequestStatus,
    RolledBack,
    WorkStep,
)
from stream_app.contract.requests import Requests
from tests import messages

ASKED = messages.retrain_requested()
NOW = Now(at_ms=7)


def on_topic(history: Sequence[msgspec.Struct]) -> Requests:
    """What a worker knows that has read these messages."""
    return requests.of(wire.decode_alert_message(wire.encode(message)) for message in history)


def decide(history: Sequence[msgspec.Struct], now: Now = NOW) -> Next | None:
    return worker.decide(on_topic(history), now)


def said(found: Next | None) -> RequestAnswered:
    assert found is not None
    answer = found.messages[-1]
    assert isinstance(answer, RequestAnswered)
    return answer


def running(step: WorkStep, **known: object) -> RequestAnswered:
    return messages.answered(RequestStatus.RUNNING, step=step, **known)


ACCEPTED = messages.answered(RequestStatus.ACCEPTED)
TRAINED = {"version": "v2", "held": None}
PASSED = {"passed": True, "reasons": ["5 % nearer"]}


def ended(
    history: Sequence[msgspec.Struct], step: WorkStep, result: object, now: Now = NOW
) -> Next:
    (asked,) = on_topic(history).values()
    return settle(
        asked, step, Ended(Fault.NONE, "", msgspec.convert(result, dict[str, object])), now
    )


def failed(history: Sequence[msgspec.Struct], step: WorkStep, fault: Fault) -> Next:
    (asked,) = on_topic(history).values()
    return settle(asked, step, Ended(fault, "broken pipe"), NOW)


def test_what_is_asked_is_accepted_before_anything_begins() -> None:
    found = decide([ASKED])

    assert said(found).status is RequestStatus.ACCEPTED
    assert found is not None
    assert found.begin is None


@pytest.mark.parametrize(
    ("asked", "step"),
    [
        (messages.retrain_requested(), WorkStep.TRAIN),
        (messages.preflight_requested(request_id="r-1"), WorkStep.PREFLIGHT),
    ],
    ids=["retrain", "preflight"],
)
def test_its_first_step_is_said_and_then_begun(asked: msgspec.Struct, step: WorkStep) -> None:
    found = decide([asked, ACCEPTED])

    assert found is not None
    assert (said(found).status, said(found).step) == (RequestStatus.RUNNING, step)
    assert found.begin is step


def test_nothing_begins_while_something_runs() -> None:
    other = messages.preflight_requested(request_id="p-1")
    history = [ASKED, running(WorkStep.TRAIN), other]

    accepted = decide(history, NOW._replace(running=frozenset({"r-1"})))
    then = decide(
        [*history, *(accepted.messages if accepted else ())],
        NOW._replace(running=frozenset({"r-1"})),
    )

    assert said(accepted).status is RequestStatus.ACCEPTED
    assert then is None


def test_a_roll_back_begins_while_something_runs() -> None:
    history = [ASKED, running(WorkStep.TRAIN), messages.rollback_requested(leave_version="v2")]

    found = decide(history, NOW._replace(running=frozenset({"r-1"})))

    assert found is not None
    assert found.begin is WorkStep.ROLLBACK
    assert said(found).version == "v2"


def test_a_roll_back_leaves_who_serves_when_it_is_read() -> None:
    asked = messages.rollback_requested()

    found = decide([asked], NOW._replace(champions={asked.market: "v7"}))

    assert said(found).version == "v7"
    assert said(decide([asked])).status is RequestStatus.REFUSED


def test_a_step_that_is_said_to_run_and_does_not_is_begun_again() -> None:
    history = [ASKED, ACCEPTED, running(WorkStep.GATE, version="v2")]

    found = decide(history)

    assert found is not None
    assert found.begin is WorkStep.GATE
    assert said(found).version == "v2"
    assert decide(history, NOW._replace(running=frozenset({"r-1"}))) is None


def test_a_step_is_not_begun_for_ever() -> None:
    history = [ASKED, ACCEPTED, *[running(WorkStep.TRAIN)] * worker.STARTS_MAX]

    found = decide(history)

    assert said(found).status is RequestStatus.FAILED
    assert said(found).reason == "train was begun 5 times and never came to an end"


def test_what_was_begun_comes_before_what_waits() -> None:
    first = messages.retrain_requested()
    second = messages.preflight_requested()
    history = [
        first,
        second,
        ACCEPTED,
        messages.answered(RequestStatus.RUNNING, request_id="p-1", step=WorkStep.PREFLIGHT),
    ]

    assert said(decide(history)).request_id == "p-1"


def test_a_second_request_of_a_kind_and_market_is_refused_while_one_is_open() -> None:
    second = messages.retrain_requested(request_id="r-2")

    found = decide([ASKED, ACCEPTED, second])

    assert said(found).request_id == "r-2"
    assert said(found).status is RequestStatus.REFUSED
    assert said(found).reason == "busy: r-1 is accepted"


def test_another_market_may_ask_at_the_same_time() -> None:
    second = messages.retrain_requested(request_id="r-2", market="hdb")

    assert said(decide([ASKED, ACCEPTED, second])).status is RequestStatus.ACCEPTED


def test_the_same_request_again_is_one_request() -> None:
    done = messages.answered(RequestStatus.DONE)

    assert decide([ASKED, ASKED, ACCEPTED, done, ASKED]) is None


def test_a_trained_version_goes_to_its_gate() -> None:
    found = ended([ASKED, running(WorkStep.TRAIN)], WorkStep.TRAIN, TRAINED)

    assert (found.begin, said(found).version) == (WorkStep.GATE, "v2")


def test_a_version_that_the_audit_holds_ends_the_request() -> None:
    found = ended(
        [ASKED, running(WorkStep.TRAIN)], WorkStep.TRAIN, {"version": "v2", "held": "a leak"}
    )

    assert (said(found).status, said(found).promoted) == (RequestStatus.DONE, False)
    assert said(found).reason == "held for review: a leak"


@pytest.mark.parametrize(
    ("wanted", "as_set", "promotes"),
    [(True, False, True), (False, True, False), (None, True, True), (None, False, False)],
)
def test_a_passed_gate_promotes_or_waits_as_the_request_says_or_else_the_setting(
    wanted: bool | None, as_set: bool, promotes: bool
) -> None:
    history = [messages.retrain_requested(promote=wanted), running(WorkStep.GATE, version="v2")]

    found = ended(history, WorkStep.GATE, PASSED, NOW._replace(promotes=as_set))

    assert found.begin is (WorkStep.PROMOTE if promotes else None)
    assert said(found).status is (RequestStatus.RUNNING if promotes else RequestStatus.WAITING)
    assert said(found).gate_reasons == ("5 % nearer",)


def test_a_gate_that_is_not_passed_ends_the_request_and_nobody_is_promoted() -> None:
    history = [ASKED, running(WorkStep.GATE, version="v2")]

    found = ended(history, WorkStep.GATE, {"passed": False, "reasons": ["worse in kc-1"]})

    assert found.begin is None
    answer = said(found)
    assert (answer.status, answer.gate_passed, answer.promoted) == (
        RequestStatus.DONE,
        False,
        False,
    )
    assert answer.gate_reasons == ("worse in kc-1",)


WAITING = messages.answered(RequestStatus.WAITING, version="v2", gate_passed=True)


def test_what_waits_is_promoted_once_it_is_approved() -> None:
    assert decide([ASKED, WAITING]) is None

    found = decide([ASKED, WAITING, messages.approval()])

    assert found is not None
    assert (found.begin, said(found).version) == (WorkStep.PROMOTE, "v2")


def test_nothing_is_approved_before_it_waits() -> None:
    assert decide([ASKED, running(WorkStep.GATE), messages.approval(), WAITING]) is None


def test_what_is_not_approved_ends_without_promotion() -> None:
    found = decide([ASKED, WAITING, messages.approval(approved=False, reason="not in May")])

    assert (said(found).status, said(found).promoted) == (RequestStatus.DONE, False)
    assert said(found).reason == "not approved by ops: not in May"


def test_a_promotion_ends_the_request() -> None:
    found = ended([ASKED, running(WorkStep.PROMOTE, version="v2")], WorkStep.PROMOTE, {})

    assert (said(found).status, said(found).promoted) == (RequestStatus.DONE, True)


def test_a_measured_preflight_is_told_with_its_end() -> None:
    measured = msgspec.to_builtins(messages.preflight_measured())
    asked = messages.preflight_requested(request_id="r-1")

    found = ended([asked, running(WorkStep.PREFLIGHT)], WorkStep.PREFLIGHT, measured)

    first, _ = found.messages
    assert isinstance(first, PreflightMeasured)
    assert (first.request_id, first.measured_ms, first.saving_log) == ("r-1", 7, 0.01)
    assert said(found).status is RequestStatus.DONE


def test_a_roll_back_tells_from_whom_to_whom() -> None:
    asked = messages.rollback_requested(request_id="r-1")
    history = [asked, running(WorkStep.ROLLBACK, version="v2")]

    found = ended(history, WorkStep.ROLLBACK, {"champion": "v1"})

    first, _ = found.messages
    assert isinstance(first, RolledBack)
    assert (first.from_version, first.to_version) == ("v2", "v1")


def test_what_cannot_be_done_is_not_tried_again() -> None:
    found = failed([ASKED, running(WorkStep.TRAIN)], WorkStep.TRAIN, Fault.ASKED)

    assert (said(found).status, said(found).reason) == (RequestStatus.FAILED, "broken pipe")


def test_a_fault_around_us_is_tried_once_more_after_a_while() -> None:
    once = failed([ASKED, running(WorkStep.TRAIN)], WorkStep.TRAIN, Fault.AROUND)
    twice = failed([ASKED, running(WorkStep.TRAIN), said(once)], WorkStep.TRAIN, Fault.AROUND)

    assert (once.begin, once.again, said(once).attempt) == (WorkStep.TRAIN, True, 2)
    assert said(twice).status is RequestStatus.FAILED


def test_an_attempt_that_was_cut_off_is_still_the_second() -> None:
    history = [ASKED, running(WorkStep.TRAIN), running(WorkStep.TRAIN, attempt=2)]

    assert said(decide(history)).attempt == 2


def test_answers_and_approvals_of_nothing_asked_are_left_alone() -> None:
    assert decide([ACCEPTED, messages.approval(), messages.alert(), messages.decision()]) is None


def test_requests_know_how_often_a_step_was_begun() -> None:
    history = [ASKED, ACCEPTED, running(WorkStep.TRAIN), *[running(WorkStep.GATE)] * 2]

    assert on_topic(history)["r-1"].starts == {WorkStep.TRAIN: 1, WorkStep.GATE: 2}
