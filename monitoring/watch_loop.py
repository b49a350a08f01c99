"""`python -m monitoring watch`: reads what is new, judges, writes what follows.

All that a watcher knows is folded from the archive and from `housing.alerts`, its own decisions
too, which it takes in when it reads them back. So one that is killed knows the same when it
starts again. Not here: what is known (evidence.py, history.py), what is said (watch.py).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pyarrow import Table

from monitoring import archived, history, watch
from monitoring.alerting import book as books
from monitoring.alerting import limits, raising, rounds
from monitoring.criteria import Criteria
from monitoring.evidence import Market
from monitoring.history import History
from monitoring.tail import Tail
from stream_app.contract.alerts import Alert, AlertResolved, AnyAlertMessage, Decision
from stream_app.contract.archive import ALL_MARKETS, ArchiveFile
from stream_app.contract.models import AnyModelMessage, ChampionAnnounced
from stream_app.contract.topics import EVENTS, MODELS, OUTCOMES, REJECTS, full_name


class Alerts(Protocol):
    """The watcher's end of the topic (alerts_topic.py)."""

    def read(self) -> list[AnyAlertMessage]: ...

    def say(self, messages: Sequence[AnyAlertMessage]) -> list[AnyAlertMessage]: ...


class Watcher:
    """Some markets of one archive. Build it, then call `round` as often as is wanted."""

    def __init__(
        self,
        alerts: Alerts,
        archive: Path,
        prefix: str,
        markets: Sequence[str],
        criteria: Criteria,
        *,
        wall_ms: Callable[[], int],
        tell: Callable[[str], None],
    ) -> None:
        self._alerts, self._criteria, self._wall_ms, self._tell = alerts, criteria, wall_ms, tell
        self._tail = Tail(archive)
        self._events, self._rejects, self._outcomes, self._models = (
            full_name(prefix, topic) for topic in (EVENTS, REJECTS, OUTCOMES, MODELS)
        )
        self._markets = {name: Market(name) for name in markets}
        self._histories = {name: History() for name in markets}
        self._book: books.Book = {}
        self._happened: list[Alert] = []  # what may have to be told of what was read
        self._gone_since_ms: dict[str, Mapping[str, int]] = {}
        self._is_first = True
        self.decisions = 0  # written here

    @property
    def rows(self) -> int:
        """Archived rows read so far."""
        return self._tail.rows

    def round(self) -> None:
        """Take in all that is new, judge by the way at the end of each day, and at its end.

        What lay in the archive before anybody judged is judged at its end only: nobody asks
        whether a model of today would have helped last year.

        Raises
        ------
        NoBroker : the topic is not to be had, or another watcher has begun
        """
        self._hear(self._alerts.read())
        for rows in self._tail.tables([self._models], [ALL_MARKETS]):
            for message, appended_ms in archived.models(rows.table):
                market = self._markets.get(_market_of(message))
                if market is not None:
                    market.take_model(message, appended_ms)
        topics = [self._events, self._rejects, self._outcomes]
        for rows in self._tail.tables(topics, list(self._markets)):
            self._take(rows.manifest.topic, rows.file, rows.table)
        for market in self._markets.values():
            self._judge(market)
        self._is_first = False

    def _take(self, topic: str, file: ArchiveFile, table: Table) -> None:
        market = self._markets[file.market]
        if topic == self._outcomes:
            for sale in archived.sales(table) if file.layout == "message" else ():
                market.take_sale(sale)
                if self._is_day_over(market):
                    self._judge(market)
            return
        is_events = topic == self._events
        for event in archived.events(table) if is_events else archived.refused(table, file.market):
            market.take_event(event)

    def _is_day_over(self, market: Market) -> bool:
        known = self._histories[market.name]
        is_old = self._is_first and known.last is None
        return not is_old and watch.is_day_over(market, known)

    def _judge(self, market: Market) -> None:
        wall_ms, known = self._wall_ms(), self._histories[market.name]
        decided = watch.judge(market, known, wall_ms, self._criteria)
        said = [*self._findings_of(market), *decided, *self._events_of(market, decided, wall_ms)]
        if not said:
            return
        self._hear(self._alerts.say(said))
        for message in said:
            if isinstance(message, Decision):
                self.decisions += 1
                self._tell(_words(message))

    def _findings_of(self, market: Market) -> list[Alert | AlertResolved]:
        """What people are told of findings, by the market's time."""
        shipped = limits.shipped()
        settled = rounds.settle(
            self._book,
            raising.of_findings(market.findings(), market.time_ms, self._criteria, shipped),
            rounds.findings_watch(market.name, raising.FINDINGS, shipped),
            self._gone_since_ms.get(market.name, {}),
            market.time_ms,
        )
        self._gone_since_ms[market.name] = settled.gone_since_ms
        return settled.messages

    def _events_of(
        self, market: Market, decided: Iterable[AnyAlertMessage], wall_ms: int
    ) -> list[Alert | AlertResolved]:
        """What people are told of decisions and answers, by the clock's."""
        called = [raising.of_decision(d, wall_ms) for d in decided if isinstance(d, Decision)]
        happened = [*self._happened, *(each for each in called if each is not None)]
        self._happened = []
        shipped = limits.shipped()
        ends = rounds.quiet(self._book, wall_ms, shipped)
        return [
            *rounds.unsaid(self._book, happened, wall_ms, shipped),
            *(end for end in ends if end.market == market.name),
        ]

    def _hear(self, messages: Sequence[AnyAlertMessage]) -> None:
        for message in messages:
            books.take(self._book, message)
            known = self._histories.get(message.market)
            if known is not None:
                self._histories[message.market] = history.after(known, message)
        self._happened += raising.of_messages(messages)


def _market_of(message: AnyModelMessage) -> str:
    if isinstance(message, ChampionAnnounced):
        return message.manifest.market
    return message.market


def _words(decided: Decision) -> str:
    return f"{decided.market}: {decided.next_step}: {'; '.join(decided.reasons)}"
