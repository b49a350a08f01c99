"""The trail of a decision: what stood, what was asked, what came of it, and nothing of another."""

from monitoring import decisions
from monitoring.decisions_command import lines
from stream_app.contract.alerts import AnyAlertMessage, NextStep, RequestStatus, Trigger, WorkStep
from tests import messages
from tests.builders import MARKET

RETRAIN = messages.decision(
    retrain=True,
    next_step=NextStep.RETRAIN,
    triggers=(Trigger.CONCEPT_DRIFT,),
    market_ms=0,
    champion="v1",
    request_id="r-1",
)
LOG: list[AnyAlertMessage] = [
    messages.alert(cause="price level", market=MARKET),
    messages.decision(market="hdb"),
    RETRAIN,
    messages.retrain_requested(),
    messages.answered(RequestStatus.RUNNING, step=WorkStep.TRAIN),
    messages.answered(RequestStatus.DONE, request_id="r-9", version="v9", promoted=True),
    messages.answered(RequestStatus.DONE, version="v2", gate_passed=True, promoted=True),
    messages.decision(
        next_step=NextStep.CONFIRM,
        triggers=(Trigger.PROBATION,),
        champion="v2",
        reasons=("v2: error 0.09",),
    ),
]


def test_a_decision_is_told_with_all_its_steps_up_to_the_end_of_the_probation() -> None:
    retrained, confirmed = decisions.of_log(LOG, MARKET)

    assert lines(retrained) == [
        "1970-01-01 00:00  king-county  retrain  (concept_drift)",
        "    alert: price level",
        "    because: 3 labels",
        "    then: asked r-1",
        "    then: running train",
        "    then: done, v2, promoted, gate passed",
        "    then: probation: confirm: v2: error 0.09",
    ]
    assert confirmed.followed == []


def test_a_roll_back_and_a_measurement_are_told_under_what_asked_for_them() -> None:
    asks = messages.decision(next_step=NextStep.PREFLIGHT, request_id="p-1")
    leaves = messages.decision(
        next_step=NextStep.ROLL_BACK, triggers=(Trigger.PROBATION,), request_id="b-1"
    )
    log: list[AnyAlertMessage] = [
        asks,
        leaves,
        messages.preflight_measured(),
        messages.rolled_back(),
    ]

    one, other = decisions.of_log(log)

    assert one.followed == ["measured: a retrained model saves +0.0100"]
    assert other.followed == ["rolled back: from v2 to v1"]
    assert len(decisions.of_log(LOG)) == 3


def test_a_decision_by_other_criteria_than_the_one_before_says_so() -> None:
    (traced,) = decisions.of_log([messages.decision(criteria="c2")], None)
    said = "    by other criteria than the one before"

    assert said in lines(traced, criteria_before="c1")
    assert said not in lines(traced, criteria_before="c2")
    assert said not in lines(traced, criteria_before=None)  # it was not told yet
