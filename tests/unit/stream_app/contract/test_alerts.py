"""All that belongs together has one key."""

import pytest

from stream_app.contract.alerts import AnyAlertMessage, RequestStatus, key_of
from tests import messages


@pytest.mark.parametrize(
    ("message", "key"),
    [
        (messages.alert(), "a-1"),
        (messages.resolved(), "a-1"),
        (messages.acknowledged(), "a-1"),
        (messages.snoozed(), "a-1"),
        (messages.decision(), "king-county"),
        (messages.retrain_requested(), "r-1"),
        (messages.answered(RequestStatus.DONE), "r-1"),
    ],
)
def test_what_belongs_to_one_alert_or_request_has_one_key(
    message: AnyAlertMessage, key: str
) -> None:
    assert key_of(message) == key
