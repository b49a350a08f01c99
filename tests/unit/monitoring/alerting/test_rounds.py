"""A cause is told once; again when it is worse, or back after its rest; ended when it is gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from monitoring.alerting import book as books
from monitoring.alerting import limits, raising, rounds
from monitoring.alerting.book import Book
from monitoring.alerting.causes import Condition, Event
from monitoring.alerting.rounds import Watch
from stream_app.contract.alerts import (
    Alert,
    AlertResolved,
    AlertSnoozed,
    Severity,
)
from stream_app.contract.spans import HOUR_MS
from tests import messages

WATCH = Watch({Condition.LAG}, None, gone_ms=HOUR_MS, cooldown_ms=4 * HOUR_MS)
LIMITS = limits.shipped()


def lag(hour: float, severity: Severity = Severity.WARNING, segment: str = "worker=a") -> Alert:
    at_ms = int(hour * HOUR_MS)
    return raising.alert(
        Condition.LAG, "all", segment, raised_ms=at_ms, severity=severity, summary="late"
    )


LAG = lag(0).fingerprint


@dataclass
class Watcher:
    """Rounds by the hour, as the program makes them: what is told goes into the book."""

    book: Book = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)
    told: list[Alert | AlertResolved] = field(default_factory=list)

    def round(self, hour: float, *standing: Alert, unknown: bool = False) -> int:
        told, self.gone = rounds.settle(
            self.book, standing, WATCH, self.gone, int(hour * HOUR_MS), lambda _alert: unknown
        )
        for message in told:
            books.take(self.book, message)
        self.told += told
        return len(told)


def kinds(told: Sequence[Alert | AlertResolved]) -> list[str]:
    return ["alert" if isinstance(message, Alert) else "end" for message in told]


class Forgetful(Watcher):
    """Planted: dedupe is off."""

    def round(self, hour: float, *standing: Alert, unknown: bool = False) -> int:
        self.book = {}
        return super().round(hour, *standing, unknown=unknown)


def check_told_once(watcher: Watcher) -> None:
    assert [watcher.round(hour, lag(hour)) for hour in range(9)] == [1] + [0] * 8


def test_an_open_cause_is_not_told_again() -> None:
    check_told_once(Watcher())


def test_dedupe_that_is_off_is_caught() -> None:
    with pytest.raises(AssertionError):
        check_told_once(Forgetful())


def test_a_cause_that_becomes_worse_is_told_again_once() -> None:
    watcher = Watcher()
    critical = Severity.CRITICAL

    told = [watcher.round(h, lag(h, s)) for h, s in enumerate([Severity.WARNING, *[critical] * 3])]

    assert told == [1, 1, 0, 0]


def test_a_cause_ends_when_it_is_gone_for_long_enough() -> None:
    watcher = Watcher()

    for hour in (0.0, 0.5, 1.0, 1.4, 1.5):
        watcher.round(hour, *([lag(hour)] if hour == 0 else []))

    assert kinds(watcher.told) == ["alert", "end"]
    assert watcher.told[1] == AlertResolved(
        fingerprint=LAG,
        market="all",
        resolved_ms=int(1.5 * HOUR_MS),
        reason="gone for 1.0 h",
    )


def test_a_cause_that_comes_back_meanwhile_has_not_ended() -> None:
    watcher = Watcher()

    for hour in range(9):
        watcher.round(hour * 0.75, *([lag(hour * 0.75)] if hour % 2 == 0 else []))

    assert kinds(watcher.told) == ["alert"]


def test_a_cause_that_comes_back_rests_first() -> None:
    watcher = Watcher()
    for hour in (0, 1, 2):  # it ends at 2
        watcher.round(hour, *([lag(0)] if hour == 0 else []))

    assert [watcher.round(hour, lag(hour)) for hour in (3, 5, 6, 7)] == [0, 0, 1, 0]


def test_a_worse_one_does_not_rest() -> None:
    watcher = Watcher()
    for hour in (0, 1, 2):
        watcher.round(hour, *([lag(0)] if hour == 0 else []))

    assert watcher.round(3, lag(3, Severity.CRITICAL)) == 1


def test_what_cannot_be_seen_is_neither_there_nor_gone() -> None:
    watcher = Watcher()
    watcher.round(0, lag(0))

    assert [watcher.round(hour, unknown=True) for hour in range(1, 9)] == [0] * 8


def test_a_watcher_ends_only_what_it_looks_after() -> None:
    watcher = Watcher(book=books.of_log([messages.alert()]))

    assert [watcher.round(hour) for hour in range(5)] == [0] * 5


def test_a_watcher_that_starts_anew_waits_the_whole_time_again() -> None:
    watcher = Watcher()
    watcher.round(0, lag(0))
    watcher.round(1)
    watcher.gone = {}

    assert watcher.round(2) == 0
    assert watcher.round(3) == 1


def test_a_cause_that_stands_after_its_snooze_is_told_again() -> None:
    watcher = Watcher()
    watcher.round(0, lag(0))
    note = AlertSnoozed(
        fingerprint=LAG, market="all", snoozed_ms=0, snoozed_by="ops", until_ms=3 * HOUR_MS
    )
    books.take(watcher.book, note)

    assert [watcher.round(hour, lag(hour)) for hour in (1, 2, 3, 4)] == [0, 0, 1, 0]


@pytest.mark.parametrize(("hours", "ends"), [(71, 0), (72, 1)])
def test_what_nobody_ends_is_over_when_it_is_not_told_again(hours: int, ends: int) -> None:
    book = books.of_log([messages.alert(cause=Event.MODEL_REFUSED, raised_ms=0)])

    assert len(rounds.quiet(book, hours * HOUR_MS, LIMITS)) == ends


def test_what_has_its_own_end_is_left_alone() -> None:
    book = books.of_log([messages.alert(raised_ms=0), lag(0)])

    assert rounds.quiet(book, 999 * HOUR_MS, LIMITS) == []


def test_what_happened_once_is_told_once() -> None:
    failed = messages.alert(raised_ms=1)

    def unsaid(book: Book) -> list[Alert]:
        return rounds.unsaid(book, [failed, failed], 1, LIMITS)

    assert unsaid({}) == [failed]
    assert unsaid(books.of_log([failed])) == []
    assert unsaid(books.of_log([failed, messages.resolved()])) == []


def test_what_happened_long_ago_is_history() -> None:
    assert rounds.unsaid({}, [messages.alert(raised_ms=1)], 73 * HOUR_MS, LIMITS) == []
