"""Puts a page together, and the same figures for programs. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from monitoring.page import judging, marks, operations, sections, tables, truth
from monitoring.page.figures import Stretch
from monitoring.page.known import TOLD, Known
from monitoring.page.sections import Section
from monitoring.page.tables import Column, Link, Table, Unit
from monitoring.page.verdict import Verdict, verdict
from monitoring.page.view import WINDOW_DAYS, BadView, View, day_number, day_of, of_query
from stream_app.contract.spans import DAY_MS

PAGES_MAX = 100_000
VIEW_NAMES = ("window", "to", "axis")
FORMATS = ("json", "csv")


def page(known: Known, market: str, query: Mapping[str, str]) -> dict[str, Any]:
    """All that the template shows.

    Raises
    ------
    BadView : the query names no view
    """
    view = of_query(market, known.sums[market], query)
    found = marks.marks(known, view)
    return {
        "known": known,
        "view": view,
        "verdict": verdict(judging.facts(known, view)),
        "marks": found[-marks.MARKS_MAX :],
        "marks_table": marks.table(found, view),
        "sections": all_sections(known, view, query),
        "links": _links(known, view, query),
    }


def first_line(known: Known, market: str) -> Verdict:
    """The verdict of a market on its newest days."""
    return verdict(judging.facts(known, of_query(market, known.sums[market], {})))


def all_sections(known: Known, view: View, query: Mapping[str, str]) -> list[Section]:
    """The page from top to bottom."""
    address = _address(query)
    if not view.axis.days or not known.sums[view.market].axis.days:
        drawn: list[Section] = []
    else:
        make = (sections.flow, sections.inputs, sections.outputs, truth.truth)
        drawn = [each(known, view) for each in make]
        drawn.append(sections.windows(known, view, _number(query, "page"), address))
    return [
        *drawn,
        operations.decisions(known, view, _number(query, "decisions"), address),
        operations.alerts(known, view),
        operations.models(known, view),
    ]


def exported(
    known: Known, market: str, key: str, kind: str, query: Mapping[str, str]
) -> bytes | None:
    """A table for programs; None: there is none of that name or kind.

    Raises
    ------
    BadView : the query names no view
    """
    view = of_query(market, known.sums[market], query)
    if kind not in FORMATS:
        return None
    if key == "verdict" and kind == "json":
        return msgspec.json.encode(verdict(judging.facts(known, view)))
    found = _tables(known, view, query)
    if key == "index" and kind == "json":
        names = [f"/api/{market}/{each}.{form}" for each in found for form in FORMATS]
        return msgspec.json.encode([f"/api/{market}/verdict.json", *names])
    if key not in found:
        return None
    if kind == "csv":
        return tables.as_csv(found[key]).encode()
    return msgspec.json.encode(tables.as_json(found[key]))


def window_text(query: Mapping[str, str]) -> str:
    """The window of `from` and `to` (both in), as windows.parse wants it: its end out."""
    first, last = query.get("from", ""), query.get("to", "")
    return f"{first[:20]}..{day_of(day_number(last) + 1)}"


def telling(rows: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> Table:
    """The sales whose prices were farthest off."""
    columns = (
        Column("sold", Unit.DAY),
        Column("listing"),
        Column("region"),
        Column("type"),
        Column("m²", Unit.COUNT),
        Column("sale price", Unit.MONEY),
        Column("answered", Unit.MONEY),
        Column("low", Unit.MONEY),
        Column("high", Unit.MONEY),
        Column("off by", Unit.SHARE),
        Column("step"),
        Column("champion"),
        Column("publisher"),
    )
    about = f"sold {query.get('from', '')} to {query.get('to', '')}: the farthest off"
    cells = [tuple(_cell(row.get(name)) for name in TOLD) for row in rows]
    return Table("telling", "The most telling predictions", about, columns, cells)


def _cell(value: Any) -> tables.Cell:  # noqa: ANN401 - of a frame
    return None if value is None or value != value else value


def _tables(known: Known, view: View, query: Mapping[str, str]) -> dict[str, Table]:
    found = [marks.table(marks.marks(known, view), view), _days(known, view)]
    for section in all_sections(known, view, query):
        found += section.all_tables()
    return {table.key: table for table in found}


def _days(known: Known, view: View) -> Table:
    """Every daily figure of the axis, by the names of rollup.py."""
    sums = known.sums[view.market]
    rows = [
        (number * DAY_MS, name, count)
        for number in range(view.axis.first, view.axis.end)
        for name in sums.names
        if (count := sums.sum(name, Stretch(number, number + 1)))
    ]
    columns = (Column("day", Unit.DAY), Column("name"), Column("count", Unit.COUNT))
    return Table("days", "Daily figures", "sums of logs in millionths", columns, rows)


def _links(known: Known, view: View, query: Mapping[str, str]) -> dict[str, list[Link]]:
    """Other windows, lengths and axes."""
    asked = {name: query[name] for name in VIEW_NAMES if name in query}
    axis = known.sums[view.market].axis
    lengths = [Link(f"{n} days", _with(asked, window=str(n))) for n in WINDOW_DAYS]
    moves = []
    if view.window.first > axis.first:
        moves.append(Link("earlier", _with(asked, to=day_of(view.window.first - 1))))
    if view.window.end < axis.end:
        later = min(view.window.end + view.window.days, axis.end)
        moves.append(Link("later", _with(asked, to=day_of(later - 1))))
    ranges = [Link("a year", _with(asked, axis="")), Link("all days", _with(asked, axis="all"))]
    return {"lengths": lengths, "moves": moves, "ranges": ranges}


def _with(asked: Mapping[str, str], **changes: str) -> str:
    return "?" + urlencode({**asked, **changes})


def _address(query: Mapping[str, str]) -> Callable[[str], str]:
    asked = {name: query[name] for name in VIEW_NAMES if name in query}
    return lambda rest: f"?{urlencode(asked)}{'&' if asked else ''}{rest}"


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        raise BadView(f"{name}={text[:20]!r}: a number of a page is wanted")
    return min(int(text), PAGES_MAX)
