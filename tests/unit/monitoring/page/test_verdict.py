"""The first line: what is not known is said before what is well; the first rule that holds speaks."""

import pytest
from msgspec.structs import replace

from monitoring.page import verdict as verdicts
from monitoring.page.figures import Errors, Share
from monitoring.page.verdict import Facts, State, verdict
from stream_app.contract.alerts import Severity
from stream_app.contract.spans import DAY_MS, HOUR_MS
from tests import messages

NOW_MS = 1_763_700_000_000
FEBRUARY_MS = 1_422_921_600_000  # 2015-02-03
GOOD = Errors(600, 0.11, 0.004, 0.004, 0.006)
CRITICAL = messages.alert(severity=Severity.CRITICAL, cause="price level", action="look at it")
WARNING = messages.alert(severity=Severity.WARNING, cause="lag", summary="90 s behind")
FACTS = Facts(
    market="King County",
    now_ms=NOW_MS,
    market_ms=FEBRUARY_MS + 20 * DAY_MS,
    archived_ms=NOW_MS,
    labelled_ms=FEBRUARY_MS + 19 * DAY_MS,
    errors=GOOD,
    baseline=GOOD,
    coverage=Share(600, 540),
    healthy_since_ms=FEBRUARY_MS,
)


def line(**changes: object) -> str:
    return verdict(replace(FACTS, **changes)).line


def state(**changes: object) -> State:
    return verdict(replace(FACTS, **changes)).state


def test_all_is_well() -> None:
    assert line() == (
        "King County is healthy since 3 Feb 2015 (mean error 0.110 on 600 labels): nothing to do."
    )


def test_prices_that_lie_low_are_told_with_the_side_the_size_and_since_when() -> None:
    low = replace(GOOD, n=412, bias=-0.0943)

    assert line(errors=low, level_since_ms=FEBRUARY_MS, running="retrain-7") == (
        "Prices in King County lie 9 % low since 3 Feb 2015 (412 labels):"
        " retrain-7 runs, nothing to do."
    )


@pytest.mark.parametrize(
    ("running", "waiting", "press"),
    [
        (None, None, "press ask for a retraining, or roll back, under Models"),
        ("r-1", None, "r-1 runs, nothing to do"),
        ("r-1", "r-2", "a candidate waits, press approve or hold under Models"),
    ],
    ids=["nobody", "runs", "waits"],
)
def test_what_to_press_depends_on_what_is_under_way(
    running: str | None, waiting: str | None, press: str
) -> None:
    bad = replace(GOOD, bias=0.2)

    assert verdict(replace(FACTS, errors=bad, running=running, waiting=waiting)).press == press


@pytest.mark.parametrize(
    ("bias", "error", "labels"),
    [(0.04, 0.001, 600), (0.06, 0.03, 600), (0.06, 0.001, 10)],
    ids=["too little", "within chance", "too few labels"],
)
def test_prices_do_not_lie_to_one_side_by_little_by_chance_or_on_few_labels(
    bias: float, error: float, labels: int
) -> None:
    assert not verdicts.lies_off(replace(GOOD, n=labels, bias=bias, bias_error=error))


def test_a_larger_error_is_told_against_what_it_was() -> None:
    worse = replace(GOOD, mean_abs=0.143)

    assert line(errors=worse, rise_since_ms=FEBRUARY_MS) == (
        "Prices in King County are 30 % farther off since 3 Feb 2015 (mean error 0.143 on 600"
        " labels, 0.110 on 600 before): press ask for a retraining, or roll back, under Models."
    )


@pytest.mark.parametrize(
    ("now", "before"),
    [(None, GOOD), (GOOD, None), (replace(GOOD, mean_abs=0.2, n=10), GOOD)],
    ids=["unknown", "no baseline", "few"],
)
def test_no_rise_without_labels_on_both_sides(now: Errors | None, before: Errors | None) -> None:
    assert not verdicts.has_risen(now, before)


def test_without_a_price_nothing_is_known() -> None:
    assert line(market_ms=None).startswith("unknown: no price of King County (none is archived)")


def test_silence_is_told_by_the_wall_clock_and_is_not_health() -> None:
    assert state(archived_ms=NOW_MS - 25 * HOUR_MS) is State.HEALTHY
    assert line(archived_ms=NOW_MS - 30 * HOUR_MS).startswith(
        "unknown: nothing of King County was archived for 30 h"
    )
    assert "for 9 days" in line(archived_ms=NOW_MS - 9 * DAY_MS)


def test_without_labels_for_long_nobody_says_that_prices_are_good() -> None:
    assert line(labelled_ms=FEBRUARY_MS + 11 * DAY_MS).startswith(
        "unknown: no labels of King County for 9 days"
    )
    assert line(labelled_ms=None).startswith("unknown: no label of King County yet")


def test_few_labels_are_no_verdict() -> None:
    assert "only 12 labels" in line(errors=replace(GOOD, n=12))
    assert "only 0 labels" in line(errors=None)


def test_a_critical_alert_speaks_before_all_figures() -> None:
    since = FEBRUARY_MS + DAY_MS
    words = line(alerts=[(since, WARNING), (FEBRUARY_MS, CRITICAL)], labelled_ms=None)

    assert words == (
        "King County: price level since 3 Feb 2015 (error up by 6 % on 900 labels): look at it."
    )


def test_warnings_are_told_with_their_number() -> None:
    found = [(FEBRUARY_MS, WARNING), (FEBRUARY_MS + 1, WARNING)]

    assert verdict(replace(FACTS, alerts=found)).cause == "90 s behind; 1 more under Alerts"
    assert state(alerts=found) is State.ATTENTION


def test_a_candidate_that_waits_wants_a_person() -> None:
    assert state(waiting="r-2") is State.ATTENTION
    assert "r-2 has passed its gate" in line(waiting="r-2")


@pytest.mark.parametrize(
    ("covered", "said"),
    [
        (Share(600, 480), State.ATTENTION),
        (Share(600, 590), State.ATTENTION),
        (Share(100, 70), State.HEALTHY),
        (None, State.HEALTHY),
    ],
    ids=["narrow", "wide", "few", "unknown"],
)
def test_intervals_that_do_not_keep_their_promise_are_told(
    covered: Share | None, said: State
) -> None:
    assert state(coverage=covered) is said


def test_a_retraining_that_runs_on_a_quiet_market_is_told() -> None:
    assert line(running="retrain-7").endswith(": retrain-7 runs, nothing to do.")
