"""`python -m monitoring alerts`: what stands, and who looks after it."""

import argparse
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from monitoring.alerting import book as books
from monitoring.alerting import topic
from monitoring.alerting.book import Book, Entry, Standing
from monitoring.alerting.notices import clean
from monitoring.settings import MonitoringSettings
from stream_app.contract.alerts import AlertAcknowledged, AlertSnoozed, AnyAlertNote
from stream_app.contract.archive import ALL_MARKETS
from stream_app.contract.markets import MARKETS
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.spans import DAY_MS, HOUR_MS

ID_CHARS_MIN = 6  # as many as tell alerts apart, and are quickly typed
SNOOZE_MAX_MS = 30 * DAY_MS  # longer is a cause to mend, or a threshold to change
NAME_CHARS_MAX = 100
_UNITS_MS = {"m": HOUR_MS // 60, "h": HOUR_MS, "d": DAY_MS}
_SPANS = f"30m, 4h or 2d: above 0, at most {SNOOZE_MAX_MS // DAY_MS}d"
_SPAN = re.compile(r"([0-9]{1,5})([mhd])")


class UnknownAlert(ValueError):
    """No open alert has this id."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands and their options."""
    alerts = commands.add_parser(
        "alerts",
        help="list alerts; acknowledge or snooze one",
        description="What stands on housing.alerts, one line for each cause.",
    )
    actions = alerts.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser(
        "list",
        help="the last to be told first",
        description="One line for each cause, the last to be told first. `since` is another order:"
        " what was found in a market goes by the market's own time, all else by the wall clock.",
    )
    listed.add_argument("--open", action="store_true", help="leave out what is resolved")
    listed.add_argument(
        "--market",
        choices=[*sorted(MARKETS), ALL_MARKETS],
        help=f"{ALL_MARKETS}: what is of no one market, such as a worker",
    )
    listed.add_argument("--json", action="store_true", help="print one line of JSON")
    listed.set_defaults(run=_list)
    ack = _note(actions, "ack", "somebody looks after it: not sent again until it is more severe")
    ack.set_defaults(run=_ack)
    snooze = _note(actions, "snooze", "not sent for a time, however severe it becomes")
    snooze.add_argument(
        "--for",
        dest="span_ms",
        type=_span_ms,
        required=True,
        metavar="SPAN",
        help=f"how long, such as {_SPANS}",
    )
    snooze.set_defaults(run=_snooze)


def _note(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str
) -> argparse.ArgumentParser:
    note = actions.add_parser(
        name, help=what, description=f"{what}. Exit status 2: no open alert has this id."
    )
    note.add_argument("id", metavar="ID", help=f"as `list` shows it; {ID_CHARS_MIN} letters do")
    note.add_argument("--by", required=True, type=_name, metavar="NAME", help="who")
    note.add_argument("--dry-run", action="store_true", help="tell what would be, write nothing")
    note.add_argument("--json", action="store_true", help="print one line of JSON")
    return note


def _list(given: argparse.Namespace, kafka: KafkaSettings, _own: MonitoringSettings) -> int:
    found = [
        entry
        for entry in reversed(books.of_log(topic.read(kafka)).values())
        if (entry.open or not given.open) and given.market in (None, entry.alert.market)
    ]
    now_ms = _now_ms()
    if given.json:
        print(msgspec.json.encode({"alerts": [_row(entry, now_ms) for entry in found]}).decode())
    else:
        _show(found, now_ms)
    return 0


def _ack(given: argparse.Namespace, kafka: KafkaSettings, _own: MonitoringSettings) -> int:
    entry = find(books.of_log(topic.read(kafka)), given.id)
    note = AlertAcknowledged(
        fingerprint=entry.id,
        market=entry.alert.market,
        acknowledged_ms=_now_ms(),
        acknowledged_by=given.by,
    )
    return _say(given, kafka, entry, note, f"acknowledged by {given.by}")


def _snooze(given: argparse.Namespace, kafka: KafkaSettings, _own: MonitoringSettings) -> int:
    entry = find(books.of_log(topic.read(kafka)), given.id)
    now_ms = _now_ms()
    until_ms = now_ms + given.span_ms
    note = AlertSnoozed(
        fingerprint=entry.id,
        market=entry.alert.market,
        snoozed_ms=now_ms,
        snoozed_by=given.by,
        until_ms=until_ms,
    )
    return _say(given, kafka, entry, note, f"snoozed by {given.by} until {_time(until_ms)}")


def find(book: Book, text: str) -> Entry:
    """The open alert whose id begins so.

    Raises
    ------
    UnknownAlert : none does, or more than one
    """
    if len(text) < ID_CHARS_MIN:
        raise UnknownAlert(f"id {text!r}: at least {ID_CHARS_MIN} letters of it are wanted")
    found = [entry for entry in book.values() if entry.id.startswith(text)]
    still = [entry for entry in found if entry.open]
    see = "see python -m monitoring alerts list --open"
    if not found:
        raise UnknownAlert(f"no alert has an id that begins with {text!r}; {see}")
    if not still:
        raise UnknownAlert(f"alert {text!r} is resolved: there is nothing to be done; {see}")
    if len(still) > 1:
        raise UnknownAlert(f"{len(still)} alerts have an id that begins with {text!r}; {see}")
    return still[0]


def _say(
    given: argparse.Namespace, kafka: KafkaSettings, entry: Entry, note: AnyAlertNote, words: str
) -> int:
    if not given.dry_run:
        topic.tell(kafka, [note])
    if given.json:
        told = {"id": entry.id, "dry_run": given.dry_run, "note": msgspec.to_builtins(note)}
        print(msgspec.json.encode(told).decode())
    else:
        verb = "would be" if given.dry_run else "is"
        print(f"{entry.id} ({clean(entry.alert.cause)}, {entry.alert.market}) {verb} {words}")
    return 0


def _row(entry: Entry, now_ms: int) -> dict[str, object]:
    facts: dict[str, object] = msgspec.to_builtins(entry)
    return facts | {"standing": entry.standing(now_ms)}


def _show(entries: Sequence[Entry], now_ms: int) -> None:
    """Two lines each: what a narrow terminal breaks stays readable."""
    for entry in entries:
        alert = entry.alert
        where = f"  {clean(alert.segment)}" if alert.segment else ""
        print(
            f"{entry.id[:8]}  {_words(entry, now_ms)}  {alert.severity}  since {_time(entry.begun_ms)}"
            f"  {clean(alert.market)}: {clean(alert.cause)}{where}"
        )
        print(f"          {clean(alert.summary)}; {clean(alert.runbook)}")
    if not entries:
        print("no alerts")


def _words(entry: Entry, now_ms: int) -> str:
    standing = entry.standing(now_ms)
    if standing is Standing.ACKNOWLEDGED and entry.acknowledged is not None:
        return f"{standing} ({clean(entry.acknowledged.acknowledged_by, 20)})"
    if standing is Standing.SNOOZED and entry.snoozed is not None:
        return f"{standing} to {_time(entry.snoozed.until_ms)}"
    return standing


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _span_ms(text: str) -> int:
    found = _SPAN.fullmatch(text)
    span_ms = int(found[1]) * _UNITS_MS[found[2]] if found else 0
    if not 0 < span_ms <= SNOOZE_MAX_MS:
        raise argparse.ArgumentTypeError(f"{text!r}: a time is wanted, such as {_SPANS}")
    return span_ms


def _name(text: str) -> str:
    if not text.strip() or clean(text, NAME_CHARS_MAX) != text:
        raise argparse.ArgumentTypeError(
            f"{clean(text, 20)!r}: a name in one line of 1 to {NAME_CHARS_MAX} letters is wanted"
        )
    return text
