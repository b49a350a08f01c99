"""Decisions, alerts and models as tables, with what can be pressed. Pure."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from monitoring.alerting.book import Entry, Standing
from monitoring.page.actions import champion
from monitoring.page.figures import Stretch, Sums
from monitoring.page.judging import entries
from monitoring.page.known import Known
from monitoring.page.marks import decided_ms
from monitoring.page.sections import Section, window_links
from monitoring.page.tables import Cell, Column, Link, Table, Unit
from monitoring.page.view import View
from stream_app.contract.alerts import Decision, RequestStatus
from stream_app.contract.models import AliasSet, ChampionAnnounced, Manifest
from stream_app.contract.requests import Asked
from stream_app.contract.spans import DAY_MS

ROWS_PER_PAGE = 20
MODEL_COLUMNS = (
    Column("version"),
    Column("called"),
    Column("announced", Unit.TIME),
    Column("trained to", Unit.DAY),
    Column("training rows", Unit.COUNT),
    Column("holdout n", Unit.COUNT),
    Column("holdout error", Unit.SCORE),
    Column("answers", Unit.COUNT),
)


def decisions(known: Known, view: View, page: int, address: Callable[[str], str]) -> Section:
    """Every decision with its reasons, "no" too."""
    made = [
        word
        for _, word in reversed(known.alerts)
        if isinstance(word, Decision) and word.market == view.market
    ]
    shown = made[page * ROWS_PER_PAGE : (page + 1) * ROWS_PER_PAGE]
    rows = [
        (
            decided_ms(word),
            word.next_step.replace("_", " "),
            ", ".join(word.triggers).replace("_", " ") or "none",
            "; ".join(word.reasons),
        )
        for word in shown
    ]
    table = Table(
        "decisions",
        "Decisions",
        f"{len(made):,} in all; the market's own time",
        (Column("at", Unit.TIME), Column("then"), Column("triggers"), Column("reasons")),
        rows,
        pages=_pages(len(made), page, address),
        empty="nothing was decided yet: is python -m monitoring watch running?",
    )
    return Section("decisions", "Decisions", tables=(table,))


def _pages(count: int, page: int, address: Callable[[str], str]) -> list[Link]:
    links = []
    if page:
        links.append(Link("newer", address(f"decisions={page - 1}#decisions")))
    if (page + 1) * ROWS_PER_PAGE < count:
        links.append(Link("older", address(f"decisions={page + 1}#decisions")))
    return links


def alerts(known: Known, view: View) -> Section:
    """What stands, then what is over; the last to be told first, as `since` goes by two clocks."""
    own = entries(known, view.market)
    ordered = sorted(own, key=lambda entry: entry.open)[::-1][:ROWS_PER_PAGE]
    now_ms = known.refreshed_ms
    table = Table(
        "alerts",
        "Alerts",
        f"{sum(entry.open for entry in own):,} stand, {len(own):,} in all; one for each cause",
        (
            Column("standing"),
            Column("since", Unit.TIME),
            Column("severity"),
            Column("cause"),
            Column("where"),
            Column("what"),
            Column("value", Unit.SCORE),
            Column("baseline", Unit.SCORE),
            Column("n", Unit.COUNT),
            Column("do"),
            Column("runbook"),
        ),
        [_alert_row(entry, now_ms) for entry in ordered],
        [_alert_links(entry, known, view) for entry in ordered],
        frozenset(n for n, entry in enumerate(ordered) if entry.standing(now_ms) is Standing.OPEN),
        empty="no alert was ever raised",
    )
    return Section("alerts", "Alerts", tables=(table,))


def _alert_row(entry: Entry, now_ms: int) -> tuple[Cell, ...]:
    alert = entry.alert
    standing = entry.standing(now_ms)
    words: str = standing
    if standing is Standing.ACKNOWLEDGED and entry.acknowledged is not None:
        words = f"acknowledged by {entry.acknowledged.acknowledged_by}"
    if standing is Standing.SNOOZED and entry.snoozed is not None:
        words = f"snoozed by {entry.snoozed.snoozed_by}"
    return (
        words,
        entry.begun_ms,
        alert.severity,
        alert.cause,
        alert.segment or "whole market",
        alert.summary,
        alert.value,
        alert.baseline,
        alert.sample_size,
        alert.action,
        alert.runbook,
    )


def _alert_links(entry: Entry, known: Known, view: View) -> Sequence[Link]:
    """What can be pressed; and what was measured of the days since its cause began."""
    if not entry.open:
        return ()
    axis, day = known.sums[view.market].axis, entry.begun_ms // DAY_MS
    of_market = entry.alert.market == view.market and axis.first <= day < axis.end
    return [
        *(
            Link(kind, act(kind, view.market, entry.id))
            for kind in ("acknowledge", "snooze")
            if kind != "acknowledge" or entry.acknowledged is None
        ),
        *(window_links(known, view, Stretch(day, axis.end)) if of_market else ()),
    ]


def models(known: Known, view: View) -> Section:
    """Champions as announced, and what was asked of offline."""
    return Section("models", "Models", tables=(_models(known, view), _requests(known, view)))


def _models(known: Known, view: View) -> Table:
    serving = champion(known, view.market)
    names = {
        word.version: word.alias
        for _, word in known.models
        if isinstance(word, AliasSet) and word.market == view.market
    }
    announced = [
        (at_ms, word.manifest)
        for at_ms, word in reversed(known.models)
        if isinstance(word, ChampionAnnounced) and word.manifest.market == view.market
    ][:ROWS_PER_PAGE]
    rows = [
        _model_row(known.sums[view.market], at_ms, manifest, serving, names)
        for at_ms, manifest in announced
    ]
    links = [
        [Link("roll back", act("rollback", view.market, m.version))] if m.version == serving else []
        for _, m in announced
    ]
    about = "holdout error: mean |log error| of the newest 500 homes that were not trained on"
    empty = "no champion was announced yet"
    return Table("models", "Models", about, MODEL_COLUMNS, rows, links, empty=empty)


def _model_row(
    sums: Sums, announced_ms: int, manifest: Manifest, serving: str | None, names: Mapping[str, str]
) -> tuple[Cell, ...]:
    holdout = manifest.holdout_abs_log_errors
    version = manifest.version
    return (
        version,
        "champion" if version == serving else names.get(version, "none"),
        announced_ms,
        manifest.trained_to_ms,
        manifest.training_rows,
        len(holdout),
        sum(holdout) / len(holdout) if holdout else None,
        sums.sum(f"version.{version}", sums.axis),
    )


def _requests(known: Known, view: View) -> Table:
    own = [asked for asked in known.requests.values() if asked.request.market == view.market]
    shown = own[::-1][:ROWS_PER_PAGE]
    columns = (
        Column("request"),
        Column("asked", Unit.TIME),
        Column("by"),
        Column("why"),
        Column("standing"),
        Column("candidate"),
        Column("gate"),
    )
    links = [
        [Link(kind, act(kind, view.market, a.request.request_id)) for kind in ("approve", "hold")]
        if a.status is RequestStatus.WAITING and a.approval is None
        else []
        for a in shown
    ]
    about = f"{len(own):,} in all; wall clock"
    red = frozenset(n for n, asked in enumerate(shown) if asked.status is RequestStatus.FAILED)
    rows = [_request_row(asked) for asked in shown]
    return Table("requests", "Asked of offline", about, columns, rows, links, red)


def _request_row(asked: Asked) -> tuple[Cell, ...]:
    answer, request = asked.answer, asked.request
    standing = "not read yet"
    version = gate = None
    if answer is not None:
        step = f" ({answer.step})" if answer.step is not None else ""
        standing = f"{answer.status}{step}" + (f": {answer.reason}" if answer.reason else "")
        version, gate = answer.version, "; ".join(answer.gate_reasons) or None
    if asked.approval is not None:
        word = "approved" if asked.approval.approved else "held"
        standing += f", {word} by {asked.approval.approved_by}"
    return (
        request.request_id,
        request.requested_ms,
        request.requested_by or None,
        "; ".join(request.reasons),
        standing,
        version,
        gate,
    )


def act(kind: str, market: str, subject: str) -> str:
    """The address of a confirmation page."""
    return f"/act/{kind}/{market}?{urlencode({'subject': subject})}"
