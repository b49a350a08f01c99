"""When is a model retrained? A cause fires once, bad data never, and every answer has reasons."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitoring import criteria, history, policy
from monitoring.criteria import Criteria
from monitoring.detectors.finding import Cause, Finding
from monitoring.history import History
from monitoring.policy import Errors, Evidence, Now
from stream_app.contract.alerts import (
    Decision,
    NextStep,
    PreflightMeasured,
    PreflightRequested,
    Trigger,
)
from stream_app.contract.settings import BadSettings
from stream_app.contract.spans import DAY_MS, HOUR_MS
from tests import messages

MARKET = "king-county"
C = criteria.shipped()
# Wednesday 2026-01-07, 12:00 UTC
NOW_MS = 1_767_787_200_000
NOW = Now(NOW_MS, NOW_MS)
SCHEDULED = {Trigger.SCHEDULE: NOW_MS - DAY_MS}


def finding(cause: Cause = Cause.PRICE_LEVEL, **changes: object) -> Finding:
    found = Finding(
        cause=cause,
        market=MARKET,
        segment=None,
        value=0.1,
        baseline=0.0,
        n=90,
        since_ms=NOW_MS - DAY_MS,
        seen_ms=NOW_MS - DAY_MS,
        likely="homes sell 10 % above what is answered",
    )
    return msgspec.structs.replace(found, **changes)


def inputs(count: int, p_value: float = 1e-9, effect: float = 0.5) -> tuple[Finding, ...]:
    return tuple(
        finding(Cause.INPUT, segment=f"field=f{n}", value=effect, p_value=p_value)
        for n in range(count)
    )


def measured(saving_log: float = 0.03, low: float = 0.02, labels: int = 900) -> PreflightMeasured:
    return PreflightMeasured(
        request_id="p-1",
        market=MARKET,
        measured_ms=NOW_MS - HOUR_MS,
        champion="v1",
        labels=labels,
        listed_from_ms=0,
        listed_to_ms=1,
        served_error_log=0.13,
        retrained_error_log=0.13 - saving_log,
        saving_log=saving_log,
        saving_low_log=low,
        saving_high_log=saving_log + 0.01,
        day_blocks=40,
    )


def decide(
    *findings: Finding,
    past: History = History(decided_ms=SCHEDULED),  # noqa: B008 - frozen
    now_ms: int = NOW_MS,
    **evidence: object,
) -> Decision:
    seen = msgspec.structs.replace(Evidence(market=MARKET, findings=findings), **evidence)
    return policy.decide(seen, past, Now(now_ms, now_ms), C)


def answered(answer: PreflightMeasured | None = None, **changes: object) -> History:
    known = History(decided_ms=SCHEDULED, asked=asked(2), measured=answer)
    return msgspec.structs.replace(known, **changes)


def asked(hours_ago: float, **changes: object) -> PreflightRequested:
    at_ms = NOW_MS - int(hours_ago * HOUR_MS)
    common: dict[str, object] = {"requested_ms": at_ms, "requested_by": history.POLICY}
    return messages.preflight_requested(**common | changes)


def test_a_decision_names_the_criteria_that_it_was_made_by() -> None:
    others = msgspec.structs.replace(C, cooldown_h=C.cooldown_h + 1)
    seen, past = Evidence(market=MARKET), History(decided_ms=SCHEDULED)

    assert decide().criteria == C.fingerprint()
    assert policy.decide(seen, past, NOW, others).criteria != C.fingerprint()


def test_nothing_found_is_a_decision_with_reasons() -> None:
    decided = decide(errors=Errors(0.101, 0.002, 900), errors_before=Errors(0.1, 0.002, 900))

    assert (decided.next_step, decided.retrain) == (NextStep.NOTHING, False)
    assert decided.reasons == (
        "nothing calls for it: error 0.101 on 900 labels, +1.0%; 0 findings, 0 new labels",
    )


@pytest.mark.parametrize(
    ("evidence", "trigger"),
    [
        (Evidence(market=MARKET, findings=(finding(),)), Trigger.CONCEPT_DRIFT),
        (Evidence(market=MARKET, findings=(finding(Cause.ERROR),)), Trigger.CONCEPT_DRIFT),
        (Evidence(market=MARKET, findings=inputs(5)), Trigger.FEATURES),
        (Evidence(market=MARKET, labels_new=50_001), Trigger.LABELS),
        (
            Evidence(
                market=MARKET,
                errors=Errors(0.107, 0.001, 900),
                errors_before=Errors(0.1, 0.001, 900),
            ),
            Trigger.ERROR_RISE,
        ),
    ],
    ids=["price level", "error", "features", "labels", "error rise"],
)
def test_a_trigger_asks_for_the_preflight_and_retrains_when_it_helps(
    evidence: Evidence, trigger: Trigger
) -> None:
    first = policy.decide(evidence, History(decided_ms=SCHEDULED), NOW, C)
    helped = policy.decide(evidence, answered(measured()), NOW, C)

    assert (first.next_step, first.triggers, first.retrain) == (
        NextStep.PREFLIGHT,
        (trigger,),
        False,
    )
    assert (helped.next_step, helped.triggers, helped.retrain) == (
        NextStep.RETRAIN,
        (trigger,),
        True,
    )


@pytest.mark.parametrize(
    "evidence",
    [
        {"findings": inputs(4)},
        {"findings": inputs(5, p_value=0.004)},
        {"findings": inputs(5, effect=0.2)},
        {"findings": (finding(n=14),)},
        {"labels_new": 50_000},
        {"errors": Errors(0.104, 0.0001, 900), "errors_before": Errors(0.1, 0.0001, 900)},
        {"errors": Errors(0.120, 0.01, 900), "errors_before": Errors(0.1, 0.01, 900)},
        {"errors": Errors(0.2, 0.001, 14), "errors_before": Errors(0.1, 0.001, 900)},
        {"errors": Errors(0.2, 0.001, 900)},
        {"errors": Errors(0.2, 0.001, 900), "errors_before": Errors(0.0, 0.0, 900)},
    ],
    ids=[
        "four features",
        "chance over five",
        "small effects",
        "few labels",
        "labels at the limit",
        "small rise",
        "a rise by chance",
        "a rise of few labels",
        "no baseline",
        "a baseline without error",
    ],
)
def test_less_than_the_threshold_calls_for_nothing(evidence: dict[str, object]) -> None:
    assert decide(**evidence).next_step is NextStep.NOTHING  # type: ignore[arg-type]


@pytest.mark.parametrize("cause", [Cause.UNIT, Cause.NULLS, Cause.REJECTS])
def test_bad_data_calls_a_person_with_the_publishers_name_and_retrains_nothing(
    cause: Cause,
) -> None:
    wrong = finding(cause, segment="publisher=agency-b", likely="agency-b sends area_m2 times 10.8")

    decided = decide(wrong, finding(), past=answered(measured(), person="ada asks: complaints"))

    assert (decided.next_step, decided.triggers) == (NextStep.CALL_PERSON, (Trigger.BAD_DATA,))
    assert "since 2026-01-06: agency-b sends area_m2 times 10.8" in decided.reasons
    again = decide(wrong, finding(), past=history.after(answered(measured()), decided))
    assert again.next_step is NextStep.NOTHING


def test_what_drifts_is_told_with_its_day_for_two_days_may_contradict_each_other() -> None:
    below = finding(segment="type=house", since_ms=NOW_MS - 30 * DAY_MS, likely="11 % below")
    told = "type=house since 2025-12-08: 11 % below; market since 2026-01-06: 7 % above"
    assert decide(below, finding(likely="7 % above")).reasons[0] == told


def test_data_that_was_bad_long_ago_stands_in_nobodys_way() -> None:
    old = finding(Cause.UNIT, seen_ms=NOW_MS - 8 * DAY_MS)

    assert decide(old, finding(), past=answered(measured())).retrain


@pytest.mark.parametrize(
    ("past", "step", "words"),
    [
        (
            answered(measured(), open_requests=("r-7",)),
            NextStep.WAIT,
            "retraining r-7 has not ended",
        ),
        (
            answered(measured(), retrained_ms=(NOW_MS - DAY_MS,) * 8),
            NextStep.CALL_PERSON,
            "retrained 8 times in 30 days, 8 is the budget",
        ),
        (answered(), NextStep.WAIT, "the pre-flight was asked for 2.0 h ago"),
        (
            answered(asked=asked(4)),
            NextStep.CALL_PERSON,
            "no answer to the pre-flight in 4.0 h: is offline up?",
        ),
        (
            answered(msgspec.structs.replace(measured(), measured_ms=NOW_MS - 73 * HOUR_MS)),
            NextStep.PREFLIGHT,
            "would a retrained model have done better? asked",
        ),
        (
            answered(failed="300 mature labels, 500 are wanted"),
            NextStep.CALL_PERSON,
            "the pre-flight failed: 300 mature labels, 500 are wanted",
        ),
    ],
    ids=["running", "budget", "waiting", "no answer", "an old answer", "failed"],
)
def test_what_speaks_against_it_is_told(past: History, step: NextStep, words: str) -> None:
    decided = decide(finding(), past=past)

    assert (decided.next_step, decided.reasons[-1]) == (step, words)


def test_what_is_saved_is_held_against_the_error_of_the_market() -> None:
    near = replace(measured(saving_log=0.0025, low=0.001), served_error_log=0.059)

    assert decide(finding(), past=answered(near)).retrain


@pytest.mark.parametrize(
    "answer",
    [
        measured(saving_log=0.001),
        measured(low=-0.001),
        measured(labels=199),
        replace(measured(), day_blocks=3),
    ],
    ids=["saves little", "may be chance", "few labels", "few weeks"],
)
def test_a_model_that_would_not_help_is_not_trained(answer: PreflightMeasured) -> None:
    drift = decide(finding(), past=answered(answer))
    time = decide(labels_new=60_000, past=answered(answer))

    assert (drift.next_step, time.next_step) == (NextStep.CALL_PERSON, NextStep.NOTHING)
    assert "wanted" in drift.reasons[-1]


def test_the_schedule_is_due_from_monday_two_in_the_morning_until_it_is_decided() -> None:
    monday_ms = NOW_MS - 2 * DAY_MS - 10 * HOUR_MS

    assert policy.last_due_ms(NOW_MS, C) == monday_ms
    assert policy.last_due_ms(monday_ms - 1, C) == monday_ms - 7 * DAY_MS
    assert decide(past=History()).triggers == (Trigger.SCHEDULE,)
    assert "due since Monday 2026-01-05 02:00 UTC" in decide(past=History()).reasons
    assert decide(past=History(decided_ms={Trigger.SCHEDULE: monday_ms})).triggers == ()
    assert decide(past=History(), trained_ms=monday_ms).triggers == ()


def test_a_new_champion_is_followed_by_nobody_while_it_is_on_probation() -> None:
    decided = decide(finding(), past=answered(measured()), probation="v2 is on probation")

    assert (decided.next_step, decided.reasons[-1]) == (NextStep.WAIT, "v2 is on probation")


def test_what_was_found_before_its_trigger_came_to_an_end_calls_no_more() -> None:
    after_a_call = History(decided_ms=SCHEDULED | {Trigger.CONCEPT_DRIFT: NOW_MS - 2 * DAY_MS})
    old = finding(seen_ms=NOW_MS - 3 * DAY_MS)

    assert decide(old, past=after_a_call).next_step is NextStep.NOTHING
    assert decide(old, finding(), past=after_a_call).next_step is NextStep.PREFLIGHT


def test_the_markets_time_rules_the_cool_down_and_the_wall_clock_the_waiting() -> None:
    """A year of the market in minutes: what took weeks there took a second here."""
    just_asked = answered(asked=asked(0), decided_ms=SCHEDULED | {Trigger.LABELS: NOW_MS})
    late = Now(NOW_MS + 30 * DAY_MS, NOW_MS + 1_000)
    evidence = Evidence(market=MARKET, labels_new=60_000, trained_ms=late.market_ms)

    decided = policy.decide(evidence, just_asked, late, C)

    assert (decided.next_step, decided.triggers) == (NextStep.WAIT, (Trigger.LABELS,))
    assert (decided.market_ms, decided.decided_ms) == late


def test_who_asks_for_a_preflight_is_a_trigger_until_it_is_decided() -> None:
    wish = asked(1, requested_by="ada", reasons=("complaints",))
    past = history.after(History(decided_ms=SCHEDULED), wish)

    waits = decide(past=past)
    helps = decide(past=history.after(past, measured()))

    assert waits.triggers == helps.triggers == (Trigger.PERSON,)
    assert (waits.next_step, helps.next_step) == (NextStep.WAIT, NextStep.RETRAIN)
    assert helps.reasons[0] == "ada asks: complaints"
    assert history.after(past, helps).person is None


Decide = Callable[[Evidence, History, Now, Criteria], Decision]


def check_cooldown(judge: Decide) -> None:
    """However often and whatever is looked at, a trigger comes to an end once per cool-down."""

    # No shrinking: a planted bug need not be small.
    @settings(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=30,
        phases=[Phase.generate],
    )
    @given(
        st.lists(
            st.tuples(
                st.integers(1, 20),  # hours until the next look
                st.sets(st.sampled_from([Cause.PRICE_LEVEL, Cause.UNIT, Cause.ERROR])),
                st.integers(0, 100_000),
                st.booleans(),  # whether offline answers
            ),
            max_size=25,
        )
    )
    def fires_once(looks: list[tuple[int, set[Cause], int, bool]]) -> None:
        past, now_ms = History(), NOW_MS
        ends: dict[Trigger, int] = {}
        for hours, causes, labels, answers in looks:
            now_ms += hours * HOUR_MS
            findings = tuple(finding(cause, seen_ms=now_ms) for cause in sorted(causes))
            evidence = Evidence(market=MARKET, findings=findings, labels_new=labels)
            decided = judge(evidence, past, Now(now_ms, now_ms), C)
            assert decided.reasons
            if decided.next_step in history.FINAL:
                for trigger in decided.triggers:
                    assert now_ms - ends.get(trigger, 0) >= C.cooldown_h * HOUR_MS
                    ends[trigger] = now_ms
            past = history.after(past, decided)
            if decided.next_step is NextStep.PREFLIGHT:
                past = history.after(past, asked(0, requested_ms=now_ms))
                if answers:
                    answer = msgspec.structs.replace(measured(), measured_ms=now_ms)
                    past = history.after(past, answer)

    fires_once()


def test_a_cause_fires_once_per_cool_down() -> None:
    check_cooldown(policy.decide)


def test_the_law_catches_a_policy_without_memory() -> None:
    def forgetful(evidence: Evidence, past: History, now: Now, limits: Criteria) -> Decision:
        without = msgspec.structs.replace(past, decided_ms={})
        return policy.decide(evidence, without, now, limits)

    with pytest.raises(AssertionError):
        check_cooldown(forgetful)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("error_rise_max = ", "Invalid value"),
        ("error_rise_max = 0.1", "missing required field"),
        ("colour = 1", "unknown field `colour`"),
    ],
    ids=["no toml", "missing", "unknown"],
)
def test_a_wrong_criteria_file_is_told(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)

    with pytest.raises(BadSettings, match=words):
        criteria.of_file(path)


def test_a_criteria_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="criteria file"):
        criteria.of_file(tmp_path / "none.toml")
