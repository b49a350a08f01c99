"""A sales file, plain or gzip, to rows. Nothing here knows a market.

A file that cannot be used at all raises `BadFile`. A row that cannot be read is
told as a `BadRow` and the rows after it go on.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TextIO

from producers.sources.rows import Row


class BadFile(ValueError):
    """A file that is not what its source needs; the message names it."""


class BadRow(NamedTuple):
    """A row that cannot be read."""

    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.problem}"


class Lines(Protocol):
    """A csv.reader, whose own type has no public name."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


class NumberedRow(NamedTuple):
    """A row and the line it ends on, 1 being the header."""

    line: int
    row: Row


def rows(path: Path, needed_columns: Sequence[str]) -> Iterator[NumberedRow | BadRow]:
    """Read the file row by row; columns are known by name, in any order and case.

    Raises
    ------
    BadFile : no such file, not text, broken compression, or a needed column is missing
    """
    try:
        with _open(path) as text:
            yield from _rows(path, csv.reader(text), needed_columns)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def _open(path: Path) -> TextIO:
    # Undecodable bytes travel as surrogates, so that they cost one row and not the file.
    # newline="" because csv finds the ends of rows itself.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _rows(
    path: Path, lines: Lines, needed_columns: Sequence[str]
) -> Iterator[NumberedRow | BadRow]:
    header = _header(path, lines, needed_columns)
    while True:
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(path.name, lines.line_num, str(error))
            continue
        if not cells:
            continue
        problem = _problem(cells, header)
        if problem:
            yield BadRow(path.name, lines.line_num, problem)
        else:
            yield NumberedRow(lines.line_num, Row(dict(zip(header, cells, strict=True))))


def _header(path: Path, lines: Lines, needed_columns: Sequence[str]) -> list[str]:
    try:
        header = [column.strip().lower() for column in next(lines, [])]
    except csv.Error as error:
        raise BadFile(f"{path}, line 1: {error}") from None
    missing = [column for column in needed_columns if column not in header]
    if missing:
        found = ", ".join(header)[:300] or "nothing"
        raise BadFile(
            f"{path}, line 1: column {', '.join(missing)} is missing; the header has: {found}"
        )
    return header


def _problem(cells: Sequence[str], header: Sequence[str]) -> str | None:
    if len(cells) != len(header):
        return f"{len(cells)} cells, the header has {len(header)}"
    for column, cell in zip(header, cells, strict=True):
        if not cell.isascii() and any("\udc80" <= letter <= "\udcff" for letter in cell):
            return f"column {column}: {cell!a} is not UTF-8"
    return None
