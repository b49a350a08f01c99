"""A row of text to checked values. Knows no market and no file.

Text is read as a number in one place, so that every source reads "1,200" alike
and counts it as repaired. What cannot be read is told with its column and value.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

# What files write for "not known".
UNKNOWN = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "?"})
# Thousands parted by commas; a comma anywhere else is no number.
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class BadCell(ValueError):
    """A cell that cannot be read."""

    def __init__(self, column: str, text: str, wanted: str) -> None:
        super().__init__(f"column {column}: {text!r} is not {wanted}")
        self.column = column


class Row:
    """One row. Reading it writes into `repaired` which columns had to be repaired."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells
        self.repaired: list[str] = []

    def repair(self, column: str) -> None:
        """Count that `column` did not say its value in the usual way."""
        self.repaired.append(column)

    def known(self, column: str) -> str | None:
        """The text of a column without blanks around it; None when unknown or no such column."""
        text = self._cells.get(column, "").strip()
        return None if text.lower() in UNKNOWN else text

    def text(self, column: str) -> str:
        """The text of a column that must say something."""
        text = self.known(column)
        if text is None:
            raise BadCell(column, self._cells.get(column, ""), "given, and it is needed")
        return text

    def number(self, column: str) -> float:
        """A number that must be there."""
        return self._number(column, self.text(column))

    def number_or_none(self, column: str) -> float | None:
        """A number, None when unknown."""
        text = self.known(column)
        return None if text is None else self._number(column, text)

    def whole(self, column: str) -> int:
        """A whole number that must be there; "3.0" is one."""
        number = self.number(column)
        if not number.is_integer():
            raise BadCell(column, self._cells[column], "a whole number")
        return int(number)

    def whole_or_none(self, column: str) -> int | None:
        """A whole number, None when unknown."""
        return None if self.known(column) is None else self.whole(column)

    def yes_or_none(self, column: str) -> bool | None:
        """0 or 1 as no or yes, None when unknown."""
        number = self.whole_or_none(column)
        if number not in (None, 0, 1):
            raise BadCell(column, self._cells[column], "0 or 1")
        return None if number is None else bool(number)

    def date_ms(self, column: str) -> int:
        """An ISO date, with or without a time, in milliseconds UTC.

        >>> Row({"date": "20141013T000000"}).date_ms("date")
        1413158400000
        """
        text = self.text(column)
        try:
            read = datetime.fromisoformat(text)
        except ValueError:
            raise BadCell(column, text, "a date") from None
        return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)

    def _number(self, column: str, text: str) -> float:
        if not _PLAIN.fullmatch(text):
            if not _GROUPED.fullmatch(text):
                raise BadCell(column, text, "a number")
            self.repair(column)
            text = text.replace(",", "")
        number = float(text)
        if not math.isfinite(number):
            raise BadCell(column, text, "a finite number")
        return number
