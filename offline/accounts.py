"""What became of every event that was read: rule by rule, down to the rows. Adds up, or says so.

An event is of another market or later than the data set looks; or it is refused by a rule, or
makes no row of its own (a duplicate, an orphan, a withdrawal, a correction); or it is a sale,
which stands in the row of its listing; or a listing that was not sold, or was amended since.
What is left are the rows. Late events make rows, and are marked.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from stream_app.contract.rules import RULES
from stream_app.stages.step import Mark

_MARKS = frozenset(Mark)  # beside the verdict: such an event has one, too
_ROW, _LOG = "row:", "log:"
_SCORED = "listing:scored"
_MUST_HOLD = {
    "log:other_market": "is of this market",
    "log:later": "happened before the date",
    "log:source_left_out": "its label is not of a source left out",
    "sale:joined": "is a listing: its sale stands in the same row",
    "row:erased": "is of no home that was erased",
    "row:source_doubted": "nobody who told of it is doubted",
    "row:same_sale": "no other row has its home, time of sale and price",
}


class Dropped(Struct, frozen=True):
    """One rule or verdict on the way from events to rows."""

    rule: str
    must_hold: str
    before: int
    dropped: int
    after: int
    examples: tuple[str, ...] = ()


class DoNotAddUp(Exception):
    """Events went missing between the log and the rows: a fault of ours."""


def account(
    counts: Mapping[str, int], rows: int, examples: Mapping[str, Sequence[str]]
) -> tuple[Dropped, ...]:
    """All events by what became of them; the last line leaves the rows.

    Raises
    ------
    DoNotAddUp : there are more rows than events that could make one

    Examples
    --------
    >>> [(d.rule, d.dropped) for d in account({"listing:scored": 3, "sale:joined": 2}, 2, {})
    ...  if d.dropped]
    [('sale:joined', 2), ('unsold', 1)]
    """
    left, found = events(counts), []
    for rule, must_hold, dropped in _rules(counts):
        told = tuple(examples.get(rule, ()))
        found.append(Dropped(rule, must_hold, left, dropped, left - dropped, told))
        left -= dropped
    if left < rows:
        raise DoNotAddUp(f"{left} listings are left of {events(counts)} events, and {rows} rows")
    return (*found, Dropped("unsold", "a row has a sale", left, left - rows, rows))


def events(counts: Mapping[str, int]) -> int:
    """How many events were read.

    >>> events({"listing:scored": 2, "listing:late": 1, "log:later": 3, "row:erased": 1})
    5
    """
    return sum(n for name, n in counts.items() if not _is_mark(name) and not name.startswith(_ROW))


def _is_mark(name: str) -> bool:
    return name.partition(":")[2] in _MARKS


def _rules(counts: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
    yield from _named(counts, _LOG)
    rules = {str(rule.code): rule.must_hold for rule in RULES}
    refused = {
        name.removeprefix("rejected:"): n
        for name, n in counts.items()
        if name.startswith("rejected:")
    }
    for code in dict.fromkeys((*rules, *refused)):
        yield code, rules.get(code, "see docs/contract"), refused.get(code, 0)
    for name, n in counts.items():
        elsewhere = name.startswith((_LOG, _ROW, "rejected:")) or name == _SCORED
        if not elsewhere and not _is_mark(name):
            yield name, _MUST_HOLD.get(name, "is no row of its own"), n
    yield from _named(counts, _ROW)


def _named(counts: Mapping[str, int], prefix: str) -> Iterator[tuple[str, str, int]]:
    yield from (
        (name, _MUST_HOLD[name], n) for name, n in counts.items() if name.startswith(prefix)
    )
