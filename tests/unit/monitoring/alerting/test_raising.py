"""One cause is one alert, with all that whoever is woken by it needs."""

import msgspec

from monitoring import criteria
from monitoring.alerting import causes, limits, raising
from monitoring.detectors.finding import Cause, Finding
from stream_app.contract.alerts import (
    Alert,
    AnyAlertMessage,
    NextStep,
    RequestStatus,
    Severity,
    Trigger,
)
from stream_app.contract.spans import DAY_MS
from tests import messages

NOW_MS = 1_767_787_200_000
C, L = criteria.shipped(), limits.shipped()


def finding(cause: Cause = Cause.PRICE_LEVEL, **changes: object) -> Finding:
    found = Finding(
        cause=cause,
        market="king-county",
        segment=None,
        value=0.1,
        baseline=0.0,
        n=90,
        since_ms=NOW_MS - DAY_MS,
        seen_ms=NOW_MS - DAY_MS,
        likely="homes sell 10 % above what is answered",
    )
    return msgspec.structs.replace(found, **changes)


def raised(*findings: Finding) -> list[Alert]:
    return raising.of_findings(findings, NOW_MS, C, L)


def test_an_alert_says_all_that_is_known() -> None:
    (told,) = raised(finding())

    assert (told.value, told.baseline, told.sample_size) == (0.1, 0.0, 90)
    assert told.since_ms == NOW_MS - DAY_MS
    assert told.likely_cause == "homes sell 10 % above what is answered"
    assert told.impact
    assert told.action
    assert told.runbook == "docs/runbooks/price-level.md"


def test_the_same_cause_has_the_same_fingerprint_whatever_its_figures() -> None:
    one, other = raised(finding()), raised(finding(value=0.15, since_ms=NOW_MS))

    assert one[0].fingerprint == other[0].fingerprint


def test_a_cause_that_was_found_twice_is_one_alert_with_the_newest_figures() -> None:
    (told,) = raised(finding(value=0.3, since_ms=NOW_MS), finding(value=0.1))

    assert told.value == 0.3


def test_a_market_that_moves_takes_its_regions_along() -> None:
    told = raised(finding(), *(finding(segment=f"region=r{n}") for n in range(9)))

    assert [alert.segment for alert in told] == [None]


def test_regions_that_move_alone_are_told_each() -> None:
    assert len(raised(finding(segment="region=a"), finding(segment="region=b"))) == 2


def test_bad_data_that_is_past_is_not_told() -> None:
    past_ms = int(NOW_MS - (C.bad_data_days + 1) * DAY_MS)

    assert raised(finding(Cause.UNIT, segment="publisher=a field=b", seen_ms=past_ms)) == []


def test_drifted_inputs_are_one_cause_and_many_of_them_are_worse() -> None:
    def drifts(count: int) -> list[Alert]:
        each = {"value": 0.5, "p_value": 1e-9}
        return raised(*(finding(Cause.INPUT, segment=f"field=f{n}", **each) for n in range(count)))

    assert [alert.severity for alert in drifts(1)] == [Severity.INFO]
    assert [alert.severity for alert in drifts(C.features_min)] == [Severity.WARNING]
    assert drifts(1)[0].fingerprint == drifts(C.features_min)[0].fingerprint


def test_an_input_that_differs_by_chance_is_not_told() -> None:
    assert raised(finding(Cause.INPUT, segment="field=f", value=0.5, p_value=0.04)) == []


def test_what_moves_a_whole_market_far_is_critical() -> None:
    assert raised(finding(value=-0.3))[0].severity is Severity.CRITICAL
    assert raised(finding(value=0.3, segment="region=a"))[0].severity is Severity.WARNING
    error = finding(Cause.ERROR, value=0.2, baseline=0.1)
    assert raised(error)[0].severity is Severity.CRITICAL


def test_a_person_is_called_by_the_wall_clock() -> None:
    decision = messages.decision(
        next_step=NextStep.CALL_PERSON, triggers=(Trigger.BAD_DATA,), reasons=("feet",)
    )

    told = raising.of_decision(decision, now_ms=7)

    assert told is not None
    assert (told.raised_ms, told.summary, told.segment) == (7, "feet", "triggers=bad_data")


def test_a_decision_that_calls_nobody_is_no_alert() -> None:
    assert raising.of_decision(messages.decision(), now_ms=7) is None


def test_what_offline_could_not_do_and_what_waits_is_told() -> None:
    said: list[AnyAlertMessage] = [
        messages.answered(RequestStatus.RUNNING),
        messages.answered(RequestStatus.FAILED, reason="no log"),
        messages.answered(RequestStatus.WAITING, request_id="r-2", version="v2"),
        messages.answered(RequestStatus.WAITING, request_id="r-3"),
        messages.answered(RequestStatus.DONE, request_id="r-3"),
        messages.rolled_back(),
    ]

    told = list(raising.of_messages(said))

    assert {alert.cause for alert in told} == {
        causes.Event.REQUEST_FAILED,
        causes.Event.APPROVAL_AWAITED,
        causes.Event.ROLLED_BACK,
    }
    assert len(told) == 3
