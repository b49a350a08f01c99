"""What a person asks, and what he is told."""

import argparse

import pytest

from offline import arguments, requests_command
from offline.faults import WrongInput
from stream_app.contract import requests
from stream_app.contract.alerts import (
    AnyAlertMessage,
    PreflightRequested,
    RequestStatus,
    RetrainRequested,
    RollbackRequested,
)
from stream_app.contract.settings import KafkaSettings
from tests import messages

COMMON = ("--market", "hdb", "--reason", "prices rose", "--by", "ana")


def parsed(*given: str) -> argparse.Namespace:
    return arguments.parser().parse_args(given)


class Told(list[AnyAlertMessage]):
    """Takes the place of the topic."""

    def take(self, kafka: KafkaSettings, message: AnyAlertMessage) -> None:
        self.append(message)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    told = Told()
    monkeypatch.setattr("offline.alerts_log.tell", told.take)
    monkeypatch.setattr("offline.alerts_log.read", lambda kafka: iter(told))
    return told


def test_a_retraining_is_asked_for_with_all_that_was_said(told: Told) -> None:
    result = requests_command.ask(
        parsed("request", "retrain", *COMMON, "--train-to", "2020-01-01", "--no-promote")
    )

    (asked,) = told
    assert isinstance(asked, RetrainRequested)
    assert (asked.reasons, asked.requested_by, asked.promote) == (("prices rose",), "ana", False)
    assert asked.train_to_ms == 1_577_836_800_000
    assert result["request_id"] == asked.request_id


@pytest.mark.parametrize(
    ("kind", "type_"), [("preflight", PreflightRequested), ("rollback", RollbackRequested)]
)
def test_each_kind_is_its_own_message(told: Told, kind: str, type_: type[object]) -> None:
    requests_command.ask(parsed("request", kind, *COMMON, "--id", "x-1"))

    (asked,) = told
    assert isinstance(asked, type_)


def test_two_requests_have_two_ids(told: Told) -> None:
    for _ in range(2):
        requests_command.ask(parsed("request", "preflight", *COMMON))

    assert len(requests.of(told)) == 2


def test_an_id_that_is_none_is_refused(told: Told) -> None:
    with pytest.raises(WrongInput, match="--id 'a b'"):
        requests_command.ask(parsed("request", "preflight", *COMMON, "--id", "a b"))


def test_what_waits_is_approved_by_its_id(told: Told) -> None:
    told += [messages.retrain_requested(), messages.answered(RequestStatus.WAITING)]

    requests_command.ask(parsed("request", "approve", "--id", "r-1", "--by", "ana"))

    assert told[-1] == messages.approval(
        approved_by="ana", approved_ms=getattr(told[-1], "approved_ms", 0)
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [("r-1", "r-1 does not wait for approval, it is accepted"), ("r-9", "nobody has asked for")],
)
def test_what_does_not_wait_cannot_be_approved(told: Told, name: str, says: str) -> None:
    told += [messages.retrain_requested(), messages.answered(RequestStatus.ACCEPTED)]

    with pytest.raises(WrongInput, match=says):
        requests_command.ask(parsed("request", "approve", "--id", name))


def test_the_list_says_where_each_request_stands(told: Told) -> None:
    told += [
        messages.retrain_requested(),
        messages.answered(RequestStatus.DONE, version="v2", reason="the gate is not passed"),
        messages.preflight_requested(),
    ]

    all_of_them = requests_command.show(parsed("requests", "list"))
    still_open = requests_command.show(parsed("requests", "list", "--open"))

    assert list(all_of_them) == ["p-1", "r-1"]
    assert str(all_of_them["r-1"]).endswith("king-county  done  v2  the gate is not passed")
    assert str(still_open["p-1"]).endswith("not read yet")
    assert requests_command.show(parsed("requests", "list", "--market", "hdb")) == {}
