"""`python -m monitoring conditions`: looks at workers and at fields; tells what is wrong."""

import argparse
import sys
from collections import Counter

import msgspec

from monitoring import archive_command
from monitoring.alerting import limits
from monitoring.alerting.looker import Looker
from monitoring.alerts_topic import AlertsTopic
from monitoring.settings import MonitoringSettings
from stream_app.contract.alerts import Alert, AlertResolved
from stream_app.contract.settings import KafkaSettings

WRITER = "conditions"


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


def run(given: argparse.Namespace, kafka: KafkaSettings, own: MonitoringSettings) -> int:
    """Look until told to stop, or once."""
    stop = archive_command.stop_on_signals()
    # A dry run must not fence the one that works.
    alerts = AlertsTopic(kafka, f"{WRITER}-dry-run" if given.dry_run else WRITER)
    looker = Looker(alerts, kafka.prefix, own, limits.shipped(), tell=_tell)
    counted = Counter(raised=0, ended=0)
    try:
        while True:
            _settle(looker, counted, dry_run=given.dry_run)
            if given.once or given.dry_run or stop.wait(own.conditions_every_s):
                break
    finally:
        alerts.close()
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
