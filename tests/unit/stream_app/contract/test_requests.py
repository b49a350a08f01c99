"""What was asked and where it stands, put together from the topic's messages in their order."""

import pytest

from stream_app.contract import requests
from stream_app.contract.alerts import AnyAlertMessage, RequestAnswered, RequestStatus, WorkStep
from tests import messages

ASKED = messages.retrain_requested()


def answered(status: RequestStatus, step: WorkStep | None = None) -> RequestAnswered:
    return messages.answered(status, request_id=ASKED.request_id, step=step)


def test_nobody_has_read_a_request_without_an_answer() -> None:
    (asked,) = requests.of([ASKED]).values()

    assert asked.status is None
    assert asked.open


def test_a_request_that_comes_again_is_the_one_that_is_there() -> None:
    again = messages.retrain_requested(reasons=("another",))

    assert requests.of([ASKED, again])[ASKED.request_id].request == ASKED


@pytest.mark.parametrize("status", sorted(requests.ENDS))
def test_it_is_open_until_its_end(status: RequestStatus) -> None:
    running = answered(RequestStatus.RUNNING, WorkStep.TRAIN)

    assert requests.of([ASKED, running])[ASKED.request_id].open
    assert not requests.of([ASKED, running, answered(status)])[ASKED.request_id].open


def test_each_start_of_a_step_is_counted() -> None:
    running = answered(RequestStatus.RUNNING, WorkStep.TRAIN)
    waiting = answered(RequestStatus.RUNNING)

    found = requests.of([ASKED, running, waiting, running])[ASKED.request_id]

    assert found.starts == {WorkStep.TRAIN: 2}


def test_only_a_candidate_that_waits_can_be_approved() -> None:
    word = messages.approval(request_id=ASKED.request_id)
    early = requests.of([ASKED, word])[ASKED.request_id]
    late = requests.of([ASKED, answered(RequestStatus.WAITING), word])[ASKED.request_id]

    assert early.approval is None
    assert late.approval == word


def test_what_is_of_no_request_changes_nothing() -> None:
    strays: list[AnyAlertMessage] = [
        messages.decision(),
        answered(RequestStatus.DONE),
        messages.approval(),
    ]

    assert requests.of(strays) == {}
