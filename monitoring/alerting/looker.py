"""One look at workers and fields: gathers, has it judged, says what is to be told.

What is open is folded from the topic at each look, so a looker that starts anew knows it. Not
here: what is wrong with a worker (machines.py) or a field (fields.py), when it is told (rounds.py).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from monitoring.alerting import book as books
from monitoring.alerting import fields, gathering, machines, rounds
from monitoring.alerting.book import Book
from monitoring.alerting.causes import Condition
from monitoring.alerting.gathering import Silent
from monitoring.alerting.limits import Limits
from monitoring.alerting.machines import Worker
from monitoring.settings import MonitoringSettings
from stream_app.contract.alerts import Alert, AlertResolved, AnyAlertMessage
from stream_app.contract.archive import MANIFESTS
from stream_app.contract.counts import counted
from stream_app.contract.markets import MARKETS

_BY_FIELDS = (
    Condition.KEY_NULLS,
    Condition.FIELD_NEW,
    Condition.FIELD_GONE,
    Condition.FIELD_RENAMED,
)


class Alerts(Protocol):
    """The topic (alerts_topic.py)."""

    def read(self) -> list[AnyAlertMessage]: ...

    def say(self, messages: Sequence[AnyAlertMessage]) -> list[AnyAlertMessage]: ...


class Looker:
    """What is kept between two looks."""

    def __init__(
        self,
        alerts: Alerts,
        prefix: str,
        own: MonitoringSettings,
        holds: Limits,
        *,
        tell: Callable[[str], None],
        now_s: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._alerts, self._prefix, self._own, self._limits = alerts, prefix, own, holds
        self._tell, self._now_s, self._wall_ms = tell, now_s, wall_ms
        addresses = [address.strip() for address in own.workers.split(",") if address.strip()]
        self._workers = [Worker(address) for address in addresses]
        self._book: Book = {}
        self._fields: list[Alert] = []
        self._fields_again_s = float("-inf")
        self._gone_since_ms: Mapping[str, int] = {}

    def look(self) -> Sequence[Alert | AlertResolved]:
        """What is to be told now. Reads the topic to its end first.

        Raises
        ------
        NoBroker : the topic is not to be had
        """
        self._hear(self._alerts.read())
        now_ms, now_s = self._wall_ms(), self._now_s()
        standing = [alert for worker in self._workers for alert in self._machine(worker, now_ms)]
        if now_s >= self._fields_again_s:
            self._fields = self._changed_fields(now_ms)
            self._fields_again_s = now_s + self._own.fields_every_s
        told, self._gone_since_ms = rounds.settle(
            self._book,
            [*standing, *self._fields],
            rounds.conditions_watch(tuple(Condition), self._limits),
            self._gone_since_ms,
            now_ms,
            self._is_unknown,
        )
        return told

    def say(self, told: Sequence[Alert | AlertResolved]) -> None:
        """Write it, and know it from now on.

        Raises
        ------
        NoBroker : not taken; another one may have begun
        """
        self._hear(self._alerts.say(told))

    def words(self) -> str:
        """What is looked at."""
        known = f"{counted(len(self._book), 'cause')} known"
        if not self._workers:
            return f"no worker is named by HOUSING_MONITORING_WORKERS, {known}"
        seen = sum(not worker.is_unknown for worker in self._workers)
        return f"workers that answer: {seen} of {len(self._workers)}, {known}"

    def _hear(self, messages: Sequence[AnyAlertMessage]) -> None:
        for message in messages:
            books.take(self._book, message)

    def _machine(self, worker: Worker, now_ms: int) -> list[Alert]:
        now_s = self._now_s()
        try:
            worker.answered(gathering.scrape(worker.address, now_s), self._limits)
        except Silent as silent:
            if not worker.is_unknown:
                self._tell(f"{silent}: unknown")
            worker.was_silent(now_s)
        return machines.judge(worker, now_ms, now_s, self._limits)

    def _changed_fields(self, now_ms: int) -> list[Alert]:
        if not self._has_archive():
            return []
        holds, root, found = self._limits, Path(self._own.archive_dir), list[Alert]()
        for market in sorted(MARKETS):
            sent = gathering.listings(root, self._prefix, market, holds.fields_read)
            newest = sent[-holds.fields_newest :]
            before = sent[: -holds.fields_newest][: holds.fields_usual]
            found += fields.judge(market, before, newest, now_ms, holds)
        return found

    def _has_archive(self) -> bool:
        return (Path(self._own.archive_dir) / MANIFESTS).is_dir()

    def _is_unknown(self, alert: Alert) -> bool:
        """Whether nothing could be seen of it in this look."""
        if alert.cause in _BY_FIELDS:
            return not self._has_archive()
        silent = {worker.segment for worker in self._workers if worker.is_unknown}
        return alert.cause != Condition.UNREACHABLE and alert.segment in silent
