"""What happened when, on the market's own time: swaps, promotions, alerts, decisions. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from monitoring.page import figures
from monitoring.page.figures import Stretch, Sums
from monitoring.page.judging import entries
from monitoring.page.known import Known
from monitoring.page.tables import Column, Table, Unit
from monitoring.page.view import View
from stream_app.contract.alerts import Decision, NextStep, RolledBack
from stream_app.contract.models import Alias, AliasSet
from stream_app.contract.spans import DAY_MS

MARKS_MAX = 60  # on one axis: of more, the newest; the table has all
SILENT = (NextStep.NOTHING, NextStep.WAIT)  # decisions without a mark


class Mark(NamedTuple):
    at_ms: int
    kind: str  # swap, deploy, alert, decision: also the class of its colour
    words: str


def marks(known: Known, view: View) -> list[Mark]:
    """All marks on the view's axis, the oldest first."""
    sums = known.sums[view.market]
    found = [*swaps(sums, view.axis)]
    for at_ms, kind, words in (*_said(known, view.market), *_alerts(known, view.market)):
        placed = figures.on_axis_ms(sums, at_ms)
        if placed is not None and view.axis.first <= placed // DAY_MS < view.axis.end:
            found.append(Mark(placed, kind, words))
    return sorted(found)


def swaps(sums: Sums, axis: Stretch) -> Iterator[Mark]:
    """The days from which on another champion answered most: a roll back is one, too."""
    serving: str | None = None
    first_days = _days_with_champions(sums, axis)
    for day, version in first_days:
        if version != serving:
            words = f"champion {version} answers" + (f" in place of {serving}" if serving else "")
            yield Mark(day * DAY_MS, "swap", words)
            serving = version


def table(found: Sequence[Mark], view: View) -> Table:
    """The marks in rows, the newest first."""
    columns = (Column("at", Unit.TIME), Column("what"), Column("words"))
    rows = [(mark.at_ms, mark.kind, mark.words) for mark in reversed(found)]
    about = f"the market's own time; {view.axis.days} days"
    return Table("marks", "What happened when", about, columns, rows)


def _days_with_champions(sums: Sums, axis: Stretch) -> Iterator[tuple[int, str]]:
    versions = list(sums.group("version", axis))
    for day in range(axis.first, axis.end):
        one = Stretch(day, day + 1)
        counts = {version: sums.sum(f"version.{version}", one) for version in versions}
        most = max(counts, key=lambda version: counts[version], default=None)
        if most is not None and counts[most]:
            yield day, most


def _said(known: Known, market: str) -> Iterator[Mark]:
    for appended_ms, message in known.models:
        if isinstance(message, AliasSet) and (message.market, message.alias) == (
            market,
            Alias.CHAMPION,
        ):
            yield Mark(appended_ms, "deploy", f"{message.version} promoted: {message.reason}")
    for _, word in known.alerts:
        if word.market != market:
            continue
        if isinstance(word, Decision) and word.next_step not in SILENT:
            step = word.next_step.replace("_", " ")
            yield Mark(decided_ms(word), "decision", f"decided: {step}; {'; '.join(word.reasons)}")
        if isinstance(word, RolledBack):
            words = f"rolled back from {word.from_version} to {word.to_version}"
            yield Mark(word.rolled_back_ms, "deploy", words)


def decided_ms(decision: Decision) -> int:
    """When it was, by the market's own time where the decision tells it."""
    return decision.decided_ms if decision.market_ms is None else decision.market_ms


def _alerts(known: Known, market: str) -> Iterator[Mark]:
    for entry in entries(known, market):
        where = f" ({entry.alert.segment})" if entry.alert.segment else ""
        words = f"{entry.alert.cause}{where}: {entry.alert.summary}"
        yield Mark(entry.begun_ms, "alert", words)
