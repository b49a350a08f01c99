"""The words of an alert about a refused model."""

from pathlib import Path

from stream_app.contract.alerts import Severity
from stream_app.shell.alarms import alert
from stream_app.shell.shelf import Refusal
from tests.builders import MARKET

REFUSAL = Refusal(MARKET, "champion", "v2", "the hash differs", "v1")


def test_it_says_what_is_refused_why_and_who_goes_on() -> None:
    told = alert(REFUSAL, raised_ms=7)

    assert told.summary == "champion v2 is refused, v1 goes on: the hash differs"
    assert (told.severity, told.raised_ms) == (Severity.WARNING, 7)


def test_it_is_critical_when_nobody_serves() -> None:
    told = alert(REFUSAL._replace(serves=None), raised_ms=7)

    assert told.severity is Severity.CRITICAL
    assert "nothing serves" in told.summary


def test_the_same_cause_has_the_same_key_however_it_is_worded() -> None:
    key = alert(REFUSAL, raised_ms=7).fingerprint

    assert alert(REFUSAL._replace(reason="elsewhere", serves=None), raised_ms=8).fingerprint == key
    assert alert(REFUSAL._replace(version="v3"), raised_ms=7).fingerprint != key


def test_what_is_tried_again_is_another_cause() -> None:
    told = alert(REFUSAL._replace(reason="no such file", again=True), raised_ms=7)

    assert told.summary == (
        "champion v2 cannot be opened yet and is tried again, v1 goes on: no such file"
    )
    assert told.fingerprint != alert(REFUSAL, raised_ms=7).fingerprint


def test_its_runbook_is_there() -> None:
    root = Path(__file__).resolve().parents[4]

    assert (root / alert(REFUSAL, raised_ms=7).runbook).is_file()
