"""Figures in rows, for people and programs alike: one table is HTML, JSON and CSV. Pure."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

Cell = str | int | float | None

UNKNOWN = "unknown"
TEXT_CHARS_MAX = 300  # of one cell on the page; programs get all of it
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute such a text


class Unit(StrEnum):
    """How a column is shown. Programs get the bare value."""

    TEXT = "text"
    COUNT = "count"
    RATE = "per day"
    SHARE = "share"
    LOG = "log"
    SCORE = "score"
    MS = "ms"
    MONEY = "money"
    TIME = "time"
    DAY = "day"


class Column(NamedTuple):
    name: str
    unit: Unit = Unit.TEXT


class Link(NamedTuple):
    words: str
    address: str


class Table(NamedTuple):
    """Rows are as long as columns; None is unknown. Links stand beside a row on the page."""

    key: str  # of its address
    title: str
    about: str  # window, baseline, n
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    links: Sequence[Sequence[Link]] = ()  # for each row
    red: frozenset[int] = frozenset()  # numbers of rows that are not as they should be
    pages: Sequence[Link] = ()  # to older and newer rows
    empty: str = "nothing yet"
    most: int = 10_000  # rows that the page shows; programs get all


def shown(cell: Cell, unit: Unit) -> str:
    """A cell as people read it.

    >>> shown(None, Unit.SHARE), shown(0.125, Unit.SHARE), shown(0, Unit.COUNT)
    ('unknown', '12.5 %', '0')
    """
    if cell is None:
        return UNKNOWN
    if isinstance(cell, str):
        return cell if len(cell) <= TEXT_CHARS_MAX else cell[: TEXT_CHARS_MAX - 1] + "…"
    return _SHOWN[unit](cell)


def as_json(table: Table) -> dict[str, object]:
    """The table for programs."""
    return {
        "key": table.key,
        "title": table.title,
        "about": table.about,
        "units": {column.name: column.unit.value for column in table.columns},
        "rows": [
            {column.name: cell for column, cell in zip(table.columns, row, strict=True)}
            for row in table.rows
        ],
    }


def as_csv(table: Table) -> str:
    r"""The table for spreadsheets; what is unknown is empty.

    >>> as_csv(Table("k", "t", "", (Column("name"), Column("n")), [("=1+1", None)]))
    "name,n\r\n'=1+1,\r\n"
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in table.columns])
    writer.writerows([[_harmless(cell) for cell in row] for row in table.rows])
    return text.getvalue()


def time_of(at_ms: int) -> str:
    """A time as the page tells it.

    >>> time_of(0)
    '1970-01-01 00:00'
    """
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _harmless(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


def _latency(value: float) -> str:
    return f"{value:,.0f} ms" if value < 10_000 else f"{value / 1000:,.1f} s"


_SHOWN: Mapping[Unit, Callable[[float], str]] = {
    Unit.TEXT: str,
    Unit.COUNT: lambda value: f"{value:,.0f}",
    Unit.RATE: lambda value: f"{value:,.1f}",
    Unit.SHARE: lambda value: f"{value:.1%}".replace("%", " %"),
    Unit.LOG: lambda value: f"{value:+.3f}",
    Unit.SCORE: lambda value: f"{value:.3f}",
    Unit.MS: _latency,
    Unit.MONEY: lambda value: f"{value:,.0f}",
    Unit.TIME: lambda value: time_of(int(value)),
    Unit.DAY: lambda value: time_of(int(value))[:10],
}
