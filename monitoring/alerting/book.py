"""What is open, acknowledged, snoozed or resolved: the alerts' messages, put together. Pure.

The topic is all the memory there is: whoever reads it in its order knows the same. An entry
is one cause. Scorers tell a doubted publisher from each of their partitions, under a key for
each: that is one cause, and it is over when all of them have said so.
"""

from collections.abc import Iterable
from enum import StrEnum, auto

from msgspec import Struct
from msgspec.structs import replace

from monitoring.alerting import causes
from monitoring.alerting.causes import Event
from stream_app.contract.alerts import (
    DOUBTED,
    TRUSTED_AGAIN,
    Alert,
    AlertAcknowledged,
    AlertResolved,
    AlertSnoozed,
    AnyAlertMessage,
    RequestAnswered,
    RequestStatus,
    Severity,
)

_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Standing(StrEnum):
    OPEN = auto()
    ACKNOWLEDGED = auto()
    SNOOZED = auto()
    RESOLVED = auto()


class Entry(Struct, frozen=True):
    """One cause, from when it was first told until it is told again after its end."""

    id: str
    alert: Alert  # as told last
    first_raised_ms: int
    times: int = 1  # told
    places: frozenset[str] = frozenset()  # keys under which it stands
    acknowledged: AlertAcknowledged | None = None
    snoozed: AlertSnoozed | None = None
    resolved: AlertResolved | None = None

    @property
    def begun_ms(self) -> int:
        """Since when its cause stands, as good as it is known."""
        since_ms = self.alert.since_ms
        return self.first_raised_ms if since_ms is None else since_ms

    @property
    def open(self) -> bool:
        """Whether the cause stands, whoever looks after it."""
        return self.resolved is None

    def standing(self, now_ms: int) -> Standing:
        """Where it is; snoozes are by the wall clock."""
        if not self.open:
            return Standing.RESOLVED
        if self.snoozed is not None and now_ms < self.snoozed.until_ms:
            return Standing.SNOOZED
        return Standing.OPEN if self.acknowledged is None else Standing.ACKNOWLEDGED


Book = dict[str, Entry]  # by id, in the order in which the causes were first told


def of_log(messages: Iterable[AnyAlertMessage]) -> Book:
    """Take all messages in, in the topic's order."""
    book: Book = {}
    for message in messages:
        take(book, message)
    return book


def take(book: Book, message: AnyAlertMessage) -> Entry | None:
    """Take the topic's next message in; give the cause that began, became worse, or ended by it."""
    if isinstance(message, Alert):
        if message.cause.startswith(TRUSTED_AGAIN):
            return _trusted(book, message)
        return _told(book, message)
    if isinstance(message, AlertResolved | AlertAcknowledged | AlertSnoozed):
        entry = book.get(message.fingerprint)
        if entry is not None and entry.open:
            book[entry.id] = entry = _noted(entry, message)
            return None if entry.open else entry
    if isinstance(message, RequestAnswered) and message.status is not RequestStatus.WAITING:
        return _went_on(book, message)
    return None


def id_of(alert: Alert) -> str:
    """The id of its cause: its fingerprint, but for a publisher that partitions tell of."""
    if not alert.cause.startswith((DOUBTED, TRUSTED_AGAIN)):
        return alert.fingerprint
    doubt = alert.cause.partition(":")[2]
    return causes.id_of(alert.market, f"{DOUBTED}:{doubt}", alert.segment)


def is_worse(severity: Severity, than: Severity) -> bool:
    """Whether it is told again for its severity.

    >>> is_worse(Severity.CRITICAL, Severity.WARNING), is_worse(Severity.INFO, Severity.INFO)
    (True, False)
    """
    return _RANKS[severity] > _RANKS[than]


def is_back(entry: Entry, alert: Alert) -> bool:
    """Whether it was kept back by a snooze that is over when it is told now."""
    if entry.snoozed is None or entry.acknowledged is not None:
        return False
    return entry.alert.raised_ms < entry.snoozed.until_ms <= alert.raised_ms


def _told(book: Book, alert: Alert) -> Entry | None:
    name = id_of(alert)
    entry, place = book.get(name), frozenset({alert.fingerprint})
    if entry is None or not entry.open:
        snoozed = None if entry is None else entry.snoozed
        book.pop(name, None)
        book[name] = Entry(name, alert, alert.raised_ms, places=place, snoozed=snoozed)
        return book[name]
    worse, back = is_worse(alert.severity, entry.alert.severity), is_back(entry, alert)
    book[name] = replace(
        entry,
        alert=alert,
        times=entry.times + 1,
        places=entry.places | place,
        acknowledged=None if worse else entry.acknowledged,
    )
    return book[name] if worse or back else None


def _trusted(book: Book, alert: Alert) -> Entry | None:
    entry = book.get(id_of(alert))
    if entry is None or not entry.open:
        return None
    entry = replace(entry, places=entry.places - {alert.fingerprint})
    if not entry.places:
        end = AlertResolved(
            fingerprint=entry.id,
            market=alert.market,
            resolved_ms=alert.raised_ms,
            reason="its newest events are as they should be",
        )
        entry = replace(entry, resolved=end)
    book[entry.id] = entry
    return None if entry.open else entry


def _went_on(book: Book, answer: RequestAnswered) -> Entry | None:
    """An approval is no longer awaited."""
    name = causes.id_of(answer.market, Event.APPROVAL_AWAITED, f"request={answer.request_id}")
    entry = book.get(name)
    if entry is None or not entry.open:
        return None
    end = AlertResolved(
        fingerprint=name,
        market=answer.market,
        resolved_ms=answer.answered_ms,
        reason=f"the request is {answer.status}",
    )
    book[name] = replace(entry, resolved=end)
    return book[name]


def _noted(entry: Entry, note: AlertResolved | AlertAcknowledged | AlertSnoozed) -> Entry:
    if isinstance(note, AlertResolved):
        return replace(entry, resolved=note)
    if isinstance(note, AlertAcknowledged):
        return replace(entry, acknowledged=note)
    return replace(entry, snoozed=note)
