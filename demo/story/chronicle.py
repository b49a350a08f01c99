"""What a reader of all topics makes of the loop: who said what, at which time of the market.

Adds to the Watch (the account, the sales) what is said on `housing.alerts`. Two clocks: the
market's own time, as the messages bear it, and the wall's, as the broker took them. No Kafka
in here, and nothing is judged: summary.py does.
"""

from collections.abc import Sequence
from typing import NamedTuple

from demo import metrics
from demo.metrics import Judged
from demo.story.scenes import Scene
from demo.watch import Received, Watch
from stream_app.contract import requests, topics, wire
from stream_app.contract.alerts import (
    Alert,
    AnyAlertMessage,
    Decision,
    NextStep,
    PreflightMeasured,
    Trigger,
)
from stream_app.contract.rejects import Rejected
from stream_app.contract.requests import Requests
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import Topic

# What detectors find in a market or of a publisher (docs/alerts.md).
OF_PRICES = ("price level", "error")
OF_PUBLISHERS = ("unit", "nulls", "rejects")
FINDINGS = (*OF_PRICES, *OF_PUBLISHERS, "category", "input", "skew", "volume")


class Sold(NamedTuple):
    """A sale whose listing a champion had answered."""

    sold_ms: int
    champion: str | None
    judged: Judged


class Said(NamedTuple):
    """One message of `housing.alerts`."""

    message: AnyAlertMessage
    market_ms: int  # how far the market was: what was last said of its own time
    wall_ms: int


class Chronicle(Watch):
    """Changes in place, as the Watch does."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.market)
        self._scene = scene
        self.sold: list[Sold] = []
        self.said: list[Said] = []
        self.event_times_ms: list[int] = []
        self.planted_times_ms: list[int] = []  # of events that something was planted into
        self.sale_times_ms: list[int] = []
        self.requests: Requests = {}
        self.newest_ms = 0  # event time
        self.is_settled = False  # a new champion's probation is over
        self._market_ms = 0
        self._is_undecided = False  # a pre-flight is answered, and nobody has judged it yet

    @property
    def topics(self) -> Sequence[Topic]:
        return *super().topics, topics.ALERTS

    def decisions(self) -> int:
        """How many were written so far."""
        return sum(isinstance(each.message, Decision) for each in self.said)

    def judged_behind_days(self) -> float:
        """How far the watcher's last word lies behind the newest event; 0 until its first.

        It says something each day of the market, be it that nothing is to be done.
        """
        return (self.newest_ms - self._market_ms) / DAY_MS if self._market_ms else 0.0

    def is_asked(self) -> bool:
        """Whether offline has something to do, or has just done what a decision waits for."""
        return self._is_undecided or any(asked.open for asked in self.requests.values())

    def _enter(self, record: Received) -> None:
        if record.topic is topics.ALERTS:
            self._enter_message(wire.decode_alert_message(record.value or b""), record.at_ms)
            return
        super()._enter(record)
        if record.topic is topics.EVENTS:
            self._enter_event(record.value or b"")
        elif record.topic is topics.OUTCOMES:
            self._enter_outcome(record.value or b"")

    def _enter_message(self, message: AnyAlertMessage, wall_ms: int) -> None:
        self._market_ms = max(self._market_ms, time_told(message))
        self.said.append(Said(message, self._market_ms, wall_ms))
        requests.take(self.requests, message)
        if isinstance(message, PreflightMeasured):
            self._is_undecided = True
        elif isinstance(message, Decision):
            self._is_undecided = self._is_undecided and Trigger.PROBATION in message.triggers
            self.is_settled |= message.next_step in (NextStep.CONFIRM, NextStep.ROLL_BACK)

    def _enter_event(self, raw: bytes) -> None:
        decoded = wire.decode_event(raw)
        if not isinstance(decoded, Rejected):
            event = decoded.event
            self.event_times_ms.append(event.event_time_ms)
            self.newest_ms = max(self.newest_ms, event.event_time_ms)
            if self._scene.concerns(event):
                self.planted_times_ms.append(event.event_time_ms)

    def _enter_outcome(self, raw: bytes) -> None:
        outcome = wire.decode_outcome(raw)
        judged = metrics.judge(outcome)
        if outcome.corrects:
            return
        self.sale_times_ms.append(outcome.sold_ms)
        if judged is not None:
            self.sold.append(Sold(outcome.sold_ms, outcome.versions.champion, judged))


def is_finding(message: AnyAlertMessage) -> bool:
    """Whether a detector found something."""
    return isinstance(message, Alert) and message.cause in FINDINGS


def time_told(message: AnyAlertMessage) -> int:
    """The market's own time that a message tells; 0: none.

    Alerts of what happened to people or machines bear the wall clock's.
    """
    if isinstance(message, Decision):
        return message.market_ms or 0
    return message.raised_ms if isinstance(message, Alert) and is_finding(message) else 0
