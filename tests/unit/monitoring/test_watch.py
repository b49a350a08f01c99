"""A decision is written with what it asks, once; a watcher that starts anew asks nothing twice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from monitoring import criteria, history, watch
from monitoring.history import History
from monitoring.watch_loop import Watcher
from stream_app.contract import wire
from stream_app.contract.alerts import (
    Alert,
    AnyAlertMessage,
    Decision,
    NextStep,
    PreflightRequested,
    RequestStatus,
    RetrainRequested,
    RollbackRequested,
    Trigger,
)
from stream_app.contract.spans import DAY_MS, HOUR_MS
from stream_app.contract.topics import EVENTS, MODELS, OUTCOMES
from tests import flow, messages
from tests.builders import MARKET
from tests.unit.monitoring import archives
from tests.unit.monitoring.markets import ANNOUNCED_MS, promote, sales, with_champion

C = criteria.shipped()
WALL_MS = ANNOUNCED_MS + DAY_MS
QUIET = History(decided_ms={Trigger.SCHEDULE: 2**52})  # of the schedule nothing is heard


def fold(past: History, said: Sequence[AnyAlertMessage]) -> History:
    for message in said:
        past = history.after(past, message)
    return past


def test_a_shock_is_a_decision_and_its_request_and_said_once() -> None:
    market = with_champion(sales(400), sales(200, day=20, shift_log=0.12))

    decided, asked = watch.judge(market, QUIET, WALL_MS, C)
    again = watch.judge(market, fold(QUIET, [decided, asked]), WALL_MS + 1, C)

    assert isinstance(decided, Decision)
    assert isinstance(asked, PreflightRequested)
    assert decided.next_step is NextStep.PREFLIGHT
    assert Trigger.CONCEPT_DRIFT in decided.triggers
    assert decided.request_id == asked.request_id == "preflight-king-county-20131120T000000"
    assert (asked.requested_by, asked.requested_ms) == ("policy", WALL_MS)
    (waiting,) = again
    assert isinstance(waiting, Decision)
    assert waiting.next_step is NextStep.WAIT
    assert watch.judge(market, fold(QUIET, [decided, asked, waiting]), WALL_MS + 2, C) == []


def test_an_answer_that_helps_leads_to_a_retraining() -> None:
    market = with_champion(sales(400), sales(200, day=20, shift_log=0.12))
    asks = watch.judge(market, QUIET, WALL_MS, C)
    answer = messages.preflight_measured(measured_ms=WALL_MS)

    decided, asked = watch.judge(market, fold(QUIET, [*asks, answer]), WALL_MS + HOUR_MS, C)

    assert isinstance(decided, Decision)
    assert isinstance(asked, RetrainRequested)
    assert decided.retrain
    assert asked.reasons == decided.reasons


def test_a_worse_champion_is_left_by_name_and_nothing_else_is_begun() -> None:
    market = with_champion(sales(600))
    promote(market, "v2", ANNOUNCED_MS + 1)
    for sale in sales(60, "v2", day=30, spread=0.3):
        market.take_sale(sale)

    said = watch.judge(market, QUIET, WALL_MS, C)
    after = fold(QUIET, said)

    verdict, asked, waits = said
    assert isinstance(verdict, Decision)
    assert isinstance(asked, RollbackRequested)
    assert isinstance(waits, Decision)
    assert (verdict.next_step, verdict.champion) == (NextStep.ROLL_BACK, "v2")
    assert asked.leave_version == "v2"
    assert waits.next_step is not NextStep.RETRAIN
    assert watch.judge(market, after, WALL_MS + 1, C) == []


def test_the_same_no_is_said_again_on_another_day_of_the_market_and_not_before() -> None:
    no = messages.decision(market_ms=5 * DAY_MS)
    past = History(last=no)

    assert not watch.is_news(replace(no, market_ms=5 * DAY_MS + HOUR_MS, reasons=("4",)), past)
    assert watch.is_news(replace(no, market_ms=6 * DAY_MS), past)
    assert watch.is_news(replace(no, next_step=NextStep.CALL_PERSON), past)
    assert watch.is_news(no, History())


@dataclass
class FakeAlerts:
    """The topic in memory, as one watcher sees it."""

    log: list[AnyAlertMessage] = field(default_factory=list)
    taken: int = 0

    def read(self) -> list[AnyAlertMessage]:
        new, self.taken = self.log[self.taken :], len(self.log)
        return new

    def say(self, messages: Sequence[AnyAlertMessage]) -> list[AnyAlertMessage]:
        self.log += messages
        return self.read()


class Forgetful(FakeAlerts):
    """Planted: a watcher that remembers what it said itself, and reads nothing at its start."""

    def __init__(self, log: list[AnyAlertMessage]) -> None:
        super().__init__(log, len(log))


Start = Callable[[list[AnyAlertMessage]], FakeAlerts]


@pytest.fixture(scope="module")
def shocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive in which prices rise by an eighth after forty days."""
    root = tmp_path_factory.mktemp("archive")
    archives.put_champion(root, flow.manifest())
    quiet = flow.pairs(400)
    shock = flow.pairs(200, seed=2, first=400, shock_log=0.12, start_ms=flow.START_MS + 40 * DAY_MS)
    archives.put(root, OUTCOMES, [wire.encode(pair.outcome) for pair in (*quiet, *shock)])
    return root


def watcher(archive: Path, alerts: FakeAlerts) -> Watcher:
    return Watcher(
        alerts,
        archive,
        archives.PREFIX,
        [MARKET],
        C,
        wall_ms=lambda: WALL_MS,
        tell=lambda _words: None,
    )


def check_asked_once(archive: Path, start: Start) -> None:
    """However often a watcher is started anew, before and after the answer, each is asked once."""
    log: list[AnyAlertMessage] = []
    for _ in range(3):
        watcher(archive, start(log)).round()
    log.append(messages.preflight_measured(measured_ms=WALL_MS))
    for _ in range(3):
        watcher(archive, start(log)).round()
    asked = [m.request_id for m in log if isinstance(m, PreflightRequested | RetrainRequested)]
    kinds = [type(m) for m in log if isinstance(m, PreflightRequested | RetrainRequested)]
    assert kinds == [PreflightRequested, RetrainRequested]
    assert len(set(asked)) == 2


def test_a_watcher_that_starts_anew_asks_nothing_twice(shocked: Path) -> None:
    check_asked_once(shocked, FakeAlerts)


def test_the_check_catches_a_watcher_that_does_not_fold_what_it_said(shocked: Path) -> None:
    with pytest.raises(AssertionError):
        check_asked_once(shocked, Forgetful)


def test_people_are_told_of_what_was_found_with_the_decision_on_it_and_once(shocked: Path) -> None:
    alerts = FakeAlerts()
    one = watcher(shocked, alerts)

    one.round()
    said = list(alerts.log)
    one.round()

    assert "price level" in {m.cause for m in said if isinstance(m, Alert)}
    assert [m for m in alerts.log[len(said) :] if isinstance(m, Alert)] == []


def test_a_market_is_judged_day_by_day_though_its_days_are_read_at_once(tmp_path: Path) -> None:
    archives.put_champion(tmp_path, flow.manifest())
    alerts = FakeAlerts()
    one = watcher(tmp_path, alerts)
    one.round()
    archives.put(tmp_path, OUTCOMES, [wire.encode(p.outcome) for p in flow.pairs(100)])

    one.round()

    days = [m.market_ms // DAY_MS for m in alerts.log if isinstance(m, Decision) and m.market_ms]
    assert sorted(set(days)) == list(range(days[0], days[-1] + 1))
    assert len(set(days)) >= 10
    assert len(days) - len(set(days)) <= 2  # asked, and waited for, on one day


def test_what_was_archived_before_anybody_judged_is_judged_once(shocked: Path) -> None:
    alerts = FakeAlerts()

    watcher(shocked, alerts).round()

    assert sum(isinstance(m, Decision) for m in alerts.log) == 1


def test_events_and_refusals_of_the_archive_reach_the_detectors(tmp_path: Path) -> None:
    archives.put_champion(tmp_path, flow.manifest())
    archives.put(tmp_path, OUTCOMES, [wire.encode(p.outcome) for p in flow.pairs(400)])
    feet = [
        msgspec.json.encode(
            {
                "kind": "listing",
                "market": MARKET,
                "source": "agency-b",
                "event_time_ms": flow.START_MS + n * 4 * HOUR_MS,
                "area_m2": (90 + n % 40) * (10.7639 if n > 250 else 1),
            }
        )
        for n in range(400)
    ]
    archives.put(tmp_path, EVENTS, [*feet, b"?", None])
    alerts = FakeAlerts()

    watcher(tmp_path, alerts).round()

    decided = next(m for m in alerts.log if isinstance(m, Decision))
    assert (decided.next_step, decided.triggers) == (NextStep.CALL_PERSON, (Trigger.BAD_DATA,))
    assert "agency-b sends area_m2" in decided.reasons[0]


def test_models_alone_are_no_reason_to_say_anything(tmp_path: Path) -> None:
    archives.put(tmp_path, MODELS, [wire.encode(messages.corrector()), b"?", None])
    alerts = FakeAlerts([messages.answered(RequestStatus.DONE)])

    watcher(tmp_path, alerts).round()

    assert len(alerts.log) == 1
