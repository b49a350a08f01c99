"""A month is held to its goals; what is unknown is neither kept nor missed."""

import json
from pathlib import Path

import pytest

from monitoring import month
from monitoring.__main__ import main
from monitoring.alerting import book
from monitoring.alerting.causes import Condition
from monitoring.month import Goal, Misses, Wall
from monitoring.page.figures import Stretch, Sums
from monitoring.rollup import Day
from monitoring.windows import BadWindow
from stream_app.contract.alerts import AnyAlertMessage
from stream_app.contract.spans import DAY_MS
from tests import flow, messages
from tests.builders import MARKET
from tests.unit.monitoring.archives import put_pairs
from tests.unit.monitoring.page import states

NAME = "2013-12"
STRETCH = month.stretch_of(NAME)
WALL = Wall(states.WALL_MS, states.WALL_MS + 10 * DAY_MS)
HOUR_MS = DAY_MS // 24
NO_MISSES = Misses(300, 0, 300, 0)


def judged(
    *alerts: AnyAlertMessage, misses: Misses = NO_MISSES, wall: Wall | None = WALL, **day: object
) -> dict[str, Goal]:
    """The goals of a month of such days, by name."""
    sums = Sums(states.days(90, **day))
    told = book.of_log(alerts).values()
    found = month.judge(MARKET, NAME, sums, wall, list(told), misses)
    return {goal.name: goal for goal in found.goals}


def raised(cause: str, hours: float, number: int = 0) -> AnyAlertMessage:
    at_ms = WALL.from_ms + int(hours * HOUR_MS)
    return messages.alert(fingerprint=f"{cause}-{number}", cause=cause, raised_ms=at_ms)


def resolved(cause: str, hours: float, number: int = 0) -> AnyAlertMessage:
    at_ms = WALL.from_ms + int(hours * HOUR_MS)
    return messages.resolved(fingerprint=f"{cause}-{number}", resolved_ms=at_ms)


def found(day: float, number: int = 0) -> AnyAlertMessage:
    """What a detector tells of the market, two days after a day of the month."""
    at_ms = int((STRETCH.first + day) * DAY_MS)
    return messages.alert(
        fingerprint=f"error-{number}", cause="error", since_ms=at_ms, raised_ms=at_ms + 2 * DAY_MS
    )


def over(number: int = 0) -> AnyAlertMessage:
    return messages.resolved(fingerprint=f"error-{number}", resolved_ms=STRETCH.end * DAY_MS)


def test_a_quiet_month_keeps_what_is_known() -> None:
    goals = judged()

    assert goals["with a price"].kept is True
    assert goals["by the model"].kept is True
    assert goals["inside the 90 % interval"].value == pytest.approx(0.9)
    assert goals["uptime"].value == 1.0
    assert goals["within 10 % of the price"].kept is None  # these days do not tell
    assert {goal.kept for goal in goals.values()} == {True, None}


def test_overlapping_faults_of_machines_are_down_time_once() -> None:
    lag, stale = Condition.LAG, Condition.STALE

    goals = judged(
        raised(lag, 10), raised(stale, 11), resolved(lag, 13), resolved(stale, 14), raised(lag, 20, 1),
        resolved(lag, 21, 1),
    )  # fmt: skip

    assert goals["uptime"].value == pytest.approx(1 - 5 / 240)
    assert goals["uptime"].kept is False


def test_what_still_stands_is_down_to_the_end() -> None:
    assert judged(raised(Condition.UNREACHABLE, 216))["uptime"].value == pytest.approx(0.9)


def test_a_replayed_month_has_no_uptime() -> None:
    goal = judged(wall=Wall(WALL.from_ms, WALL.from_ms + HOUR_MS))["uptime"]

    assert (goal.value, goal.kept) == (None, None)


def test_more_big_misses_than_the_month_before_miss_the_goal() -> None:
    assert judged(misses=Misses(1000, 90, 1000, 80))["big misses"].kept is True
    assert judged(misses=Misses(1000, 120, 1000, 80))["big misses"].kept is False
    assert judged(misses=Misses(1000, 120, 0, 0))["big misses"].kept is None


def test_alerts_that_nobody_took_up_are_counted_and_their_limit_is_to_be_looked_at() -> None:
    told = [message for number in range(3) for message in (found(number, number), over(number))]

    assert judged(*told)["alerts that nobody took up"].kept is False
    (reviewed,) = month.review(book.of_log(told).values())
    assert (reviewed.raised, reviewed.ended_unasked) == (3, 3)
    assert "too tight" in reviewed.advice


def test_an_alert_that_somebody_took_up_was_worth_its_call() -> None:
    told = [
        found(1),
        messages.acknowledged(fingerprint="error-0"),
        over(),
    ]

    assert judged(*told)["alerts that nobody took up"].value == 0
    (reviewed,) = month.review(book.of_log(told).values())
    assert (reviewed.acknowledged, reviewed.ended_unasked, reviewed.advice) == (1, 0, "")


@pytest.mark.parametrize(
    ("day", "times"), [(-0.1, 0), (0, 1), (STRETCH.days - 0.1, 1), (STRETCH.days, 0)]
)
def test_a_finding_belongs_to_the_month_of_the_market_since_when_it_is_so(
    day: float, times: int
) -> None:
    assert judged(found(day), over())["alerts that nobody took up"].value == times


def test_an_alert_on_a_machine_belongs_to_the_month_in_which_it_was_served() -> None:
    model, since_ms = "model refused", STRETCH.first * DAY_MS
    late = messages.alert(
        fingerprint=f"{model}-0", cause=model, since_ms=since_ms, raised_ms=WALL.to_ms
    )

    for told, times in ((raised(model, 1), 1), (late, 0)):
        ended = judged(told, resolved(model, 300))
        assert ended["alerts that nobody took up"].value == times


def test_the_newest_month_that_is_over_is_meant() -> None:
    to_new_year = Sums({day: Day({"answer": 1}) for day in range(365)})
    to_december = Sums({day: Day({"answer": 1}) for day in range(364)})

    assert month.last_over(to_new_year) == "1970-12"
    assert month.last_over(to_december) == "1970-11"


def test_a_month_was_served_from_its_first_row_to_the_next_ones() -> None:
    sums = Sums({day: Day({"answer": 1}, appended_ms=1000 * day) for day in range(100)})
    february = Stretch(31, 59)

    assert month.wall_of(sums, february, 10**6) == Wall(31_000, 59_000)
    assert month.wall_of(sums, month.stretch_of("1970-04"), 10**6) == Wall(90_000, 10**6)
    assert month.wall_of(sums, month.stretch_of("1971-04"), 10**6) is None


def test_no_month_is_named_in_words() -> None:
    with pytest.raises(BadWindow, match="2014-13"):
        month.stretch_of("2014-13")


def test_the_command_tells_a_month_of_a_real_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_pairs(tmp_path, flow.pairs(900))
    arguments = ["month", "--market", flow.MARKET, "--dir", str(tmp_path)]

    assert main([*arguments, "--month", "2014-07", "--json"]) in (0, 1)
    told = json.loads(capsys.readouterr().out)
    assert (told["month"], told["listings"], told["sales"]) == ("2014-07", 310, 310)
    assert len(told["worst"]) == 10
    main(arguments)
    assert "farthest off:" in capsys.readouterr().out
    assert main([*arguments, "--month", "2013-07"]) == 2
    assert "there are 2014-05-13 to" in capsys.readouterr().err
    assert main(["month", "--market", "hdb", "--dir", str(tmp_path)]) == 2
    assert main(["month", "--market", "hdb", "--dir", "nowhere", "--month", "2014-13"]) == 2
    assert "2014-13" in capsys.readouterr().err
