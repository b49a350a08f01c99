"""`python -m monitoring conditions`: looks at workers and at fields; tells what is wrong."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from monitoring import archive_command
from monitoring.alerting import book as books
from monitoring.alerting import fields, gathering, limits, machines, rounds
from monitoring.alerting.book import Book
from monitoring.alerting.causes import Condition
from monitoring.alerting.gathering import Silent
from monitoring.alerting.limits import Limits
from monitoring.alerting.machines import Worker
from monitoring.alerts_topic import AlertsTopic
from monitoring.settings import MonitoringSettings
from stream_app.contract.alerts import Alert, AlertResolved, AnyAlertMessage
from stream_app.contract.archive import MANIFESTS
from stream_app.contract.markets import MARKETS
from stream_app.contract.settings import KafkaSettings

WRITER = "conditions"
_BY_FIELDS = (
    Condition.KEY_NULLS,
    Condition.FIELD_NEW,
    Condition.FIELD_GONE,
    Condition.FIELD_RENAMED,
)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    conditions = commands.add_parser(
        "conditions",
        help="look at workers and fields; raise and end alerts",
        description="Asks the workers that the setting `workers` names for /metrics, looks at the"
        " newest listings of the archive, and writes alerts to housing.alerts: latency, refused"
        " share, lag, no predictions, a worker that does not answer, nulls in key fields, fields"
        " new, gone or renamed. Ends its alerts when they are gone. Thresholds and why:"
        " monitoring/alerting/alerting.toml.",
        epilog="One per system: a second one fences the first, which ends with status 1. Exit"
        " status: 0 stopped, or looked once; 1 no broker answers, or another has begun; 2 a setting"
        " is wrong.",
    )
    conditions.add_argument(
        "--once",
        action="store_true",
        help="look once and exit: sees fields and lag; means, shares and what lasts need two looks",
    )
    conditions.add_argument(
        "--dry-run",
        action="store_true",
        help="look once, tell what would be written, write nothing",
    )
    conditions.add_argument("--json", action="store_true", help="print one line of JSON at the end")
    conditions.set_defaults(run=run)


class Looker:
    """What is kept between two looks."""

    def __init__(
        self, kafka: KafkaSettings, own: MonitoringSettings, holds: Limits, writer: str
    ) -> None:
        self._kafka, self._own, self._limits = kafka, own, holds
        self._alerts = AlertsTopic(kafka, writer)
        addresses = [address.strip() for address in own.workers.split(",") if address.strip()]
        self._workers = [Worker(address) for address in addresses]
        self._book: Book = {}
        self._fields: list[Alert] = []
        self._fields_again_s = float("-inf")
        self._gone: dict[str, int] = {}

    def look(self) -> Sequence[Alert | AlertResolved]:
        """What is to be told now. Reads the topic to its end first."""
        self._hear(self._alerts.read())
        now_ms, now_s = time.time_ns() // 1_000_000, time.monotonic()
        standing = [alert for worker in self._workers for alert in self._machine(worker, now_ms)]
        if now_s >= self._fields_again_s:
            self._fields = self._changed_fields(now_ms)
            self._fields_again_s = now_s + self._own.fields_every_s
        watch = rounds.conditions_watch(tuple(Condition), self._limits)
        told, gone = rounds.settle(
            self._book, [*standing, *self._fields], watch, self._gone, now_ms, self._is_unknown
        )
        self._gone = dict(gone)
        return told

    def say(self, told: Sequence[Alert | AlertResolved]) -> None:
        """Write it, and know it from now on."""
        self._hear(self._alerts.say(told))

    def close(self) -> None:
        self._alerts.close()

    def words(self) -> str:
        """What is looked at."""
        seen = sum(not worker.is_unknown for worker in self._workers)
        return f"{seen} of {len(self._workers)} workers answer, {len(self._book)} causes known"

    def _hear(self, messages: Sequence[AnyAlertMessage]) -> None:
        for message in messages:
            books.take(self._book, message)

    def _machine(self, worker: Worker, now_ms: int) -> list[Alert]:
        now_s = time.monotonic()
        try:
            worker.answered(gathering.scrape(worker.address, now_s), self._limits)
        except Silent as silent:
            if not worker.is_unknown:
                _tell(f"{silent}: unknown")
            worker.was_silent(now_s)
        return machines.judge(worker, now_ms, now_s, self._limits)

    def _changed_fields(self, now_ms: int) -> list[Alert]:
        root, newest = Path(self._own.archive_dir), self._limits.fields_newest
        if not (root / MANIFESTS).is_dir():
            return []
        found: list[Alert] = []
        for market in sorted(MARKETS):
            most = newest + self._limits.fields_before
            sent = gathering.listings(root, self._kafka.prefix, market, most)
            found += fields.judge(market, sent[:-newest], sent[-newest:], now_ms, self._limits)
        return found

    def _is_unknown(self, alert: Alert) -> bool:
        """Whether nothing could be seen of it in this look."""
        if alert.cause in _BY_FIELDS:
            return not (Path(self._own.archive_dir) / MANIFESTS).is_dir()
        silent = {worker.segment for worker in self._workers if worker.is_unknown}
        return alert.cause != Condition.UNREACHABLE and alert.segment in silent


def run(given: argparse.Namespace, kafka: KafkaSettings, own: MonitoringSettings) -> int:
    """Look until told to stop, or once."""
    stop = archive_command.stop_on_signals()
    # A dry run must not fence the one that works.
    writer = f"{WRITER}-dry-run" if given.dry_run else WRITER
    looker = Looker(kafka, own, limits.shipped(), writer)
    counted = Counter(raised=0, ended=0)
    try:
        while True:
            _settle(looker, counted, dry_run=given.dry_run)
            if given.once or given.dry_run or stop.wait(own.conditions_every_s):
                break
    finally:
        looker.close()
    _tell(looker.words())
    if given.json:
        print(msgspec.json.encode(dict(counted) | {"dry_run": given.dry_run}).decode())
    return 0


def _settle(looker: Looker, counted: Counter[str], *, dry_run: bool) -> None:
    told = looker.look()
    for message in told:
        _tell(_words(message))
    if told and not dry_run:
        looker.say(told)
    counted.update("raised" if isinstance(message, Alert) else "ended" for message in told)


def _words(message: Alert | AlertResolved) -> str:
    if isinstance(message, Alert):
        return f"{message.severity} {message.cause}, {message.market}: {message.summary}"
    return f"{message.fingerprint[:8]}, {message.market} is over: {message.reason}"


def _tell(words: str) -> None:
    print(f"conditions: {words}", file=sys.stderr, flush=True)
