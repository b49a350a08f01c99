"""What a watcher tells in one round: what is new, what is worse, what is gone. Pure.

Each watcher looks after causes of its own, so two never disagree. Whoever calls this gathers
what stands before, and writes the messages after: then the book has them, and the next round
says nothing of them. Since when a cause is gone is kept between rounds only: a watcher that
starts anew waits the whole time again, and ends nothing too early.

Times are of one clock: the market's own for findings, the wall's for machines.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from monitoring.alerting import book as books
from monitoring.alerting.book import Book, Entry
from monitoring.alerting.causes import Event
from monitoring.alerting.limits import Limits
from stream_app.contract.alerts import Alert, AlertResolved
from stream_app.contract.spans import HOUR_MS

MINUTE_MS = HOUR_MS // 60


class Watch(NamedTuple):
    """What a watcher looks after, and its patience."""

    causes: Collection[str]
    market: str | None  # None: all
    gone_ms: float
    cooldown_ms: float

    def covers(self, alert: Alert) -> bool:
        return alert.cause in self.causes and self.market in (None, alert.market)


class Round(NamedTuple):
    """What to write, and what to bring along to the next round."""

    messages: list[Alert | AlertResolved]
    gone_since_ms: Mapping[str, int]  # by id: open, and not seen since


def findings_watch(market: str, causes: Collection[str], limits: Limits) -> Watch:
    """By the market's time."""
    return Watch(
        causes, market, limits.finding_gone_h * HOUR_MS, limits.finding_cooldown_h * HOUR_MS
    )


def conditions_watch(causes: Collection[str], limits: Limits) -> Watch:
    """By the wall clock."""
    return Watch(
        causes,
        None,
        limits.condition_gone_min * MINUTE_MS,
        limits.condition_cooldown_min * MINUTE_MS,
    )


def settle(
    book: Book,
    standing: Sequence[Alert],
    watch: Watch,
    gone_since_ms: Mapping[str, int],
    now_ms: int,
    is_unknown: Callable[[Alert], bool] = lambda _alert: False,
) -> Round:
    """Hold what stands now against what is open.

    `is_unknown`: an alert of which nothing could be seen in this round is neither there nor gone.
    """
    new = [alert for alert in standing if _is_news(book.get(alert.fingerprint), alert, watch)]
    here = {alert.fingerprint for alert in standing}
    absent = [
        entry
        for entry in book.values()
        if entry.open
        and entry.id not in here
        and watch.covers(entry.alert)
        and not is_unknown(entry.alert)
    ]
    since_ms = {entry.id: gone_since_ms.get(entry.id, now_ms) for entry in absent}
    over = [entry for entry in absent if now_ms - since_ms[entry.id] >= watch.gone_ms]
    ends = [_end(entry, since_ms[entry.id], now_ms) for entry in over]
    left = {name: at_ms for name, at_ms in since_ms.items() if name not in {e.id for e in over}}
    return Round([*new, *ends], left)


def quiet(book: Book, now_ms: int, limits: Limits) -> list[AlertResolved]:
    """The ends of what nobody ends: told once, and not again for long."""
    return [
        AlertResolved(
            fingerprint=entry.id,
            market=entry.alert.market,
            resolved_ms=now_ms,
            reason=f"not told again for {limits.event_quiet_h:g} h",
        )
        for entry in book.values()
        if entry.open
        and entry.alert.cause in tuple(Event)
        and now_ms - entry.alert.raised_ms >= limits.event_quiet_h * HOUR_MS
    ]


def unsaid(book: Book, alerts: Iterable[Alert], now_ms: int, limits: Limits) -> list[Alert]:
    """Of what happened once, what was not told yet. The same event is told once for ever.

    What happened too long ago is history, also to a watcher that starts today.
    """
    fresh_ms = now_ms - limits.event_quiet_h * HOUR_MS
    return [
        alert
        for alert in {alert.fingerprint: alert for alert in alerts}.values()
        if alert.raised_ms >= fresh_ms
        and (
            (entry := book.get(alert.fingerprint)) is None
            or entry.alert.raised_ms < alert.raised_ms
        )
    ]


def _is_news(entry: Entry | None, alert: Alert, watch: Watch) -> bool:
    if entry is None or books.is_worse(alert.severity, entry.alert.severity):
        return True
    if entry.resolved is not None:
        return alert.raised_ms - entry.resolved.resolved_ms >= watch.cooldown_ms
    return books.is_back(entry, alert)


def _end(entry: Entry, since_ms: int, now_ms: int) -> AlertResolved:
    hours = (now_ms - since_ms) / HOUR_MS
    return AlertResolved(
        fingerprint=entry.id,
        market=entry.alert.market,
        resolved_ms=now_ms,
        reason=f"gone for {hours:.1f} h",
    )
