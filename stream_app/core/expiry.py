"""What the ledger forgets, and when.

Not here: the entries themselves (labels.py).

Theory of operation
-------------------
An entry is due `ledger_days` after its newest event. Time is that of the market in its
partition (watermark.py, Watermark), so that entries of a silent region expire with the rest;
an event older than that counts as of that time.

Keys of entries are filed in pages of 64, under the week in which they are due, when they
enter. A newer event only moves the week that stands in the entry; when the page of the old
one is reached, the key is filed again under the new one. So an entry costs one line in a page
when it enters, and a second look if it was heard of again.

Each event handles one page at most, whatever is due: its cost is bounded, and the same however
the log is cut into batches. It enters one key at most, so pages cannot pile up.

An entry is kept for `ledger_days` at least and two weeks longer at most, while events come.
With more than `ledger_entries` entries, the page due next goes whole, before its time: so there
are never more than that (but for a page that erasures have emptied, which goes without effect).

An empty page is a tombstone. An erasure takes the key out of its page: nothing is left of it.
`expired` counts the last states of all that went: `pending` and `withdrawn` never had a label.
"""

from bisect import bisect_left
from collections.abc import MutableMapping
from operator import attrgetter
from typing import NamedTuple

import msgspec
from msgspec import Struct

from stream_app.contract.models import Policy
from stream_app.contract.rejects import InvariantBroken
from stream_app.contract.spans import DAY_MS
from stream_app.core import coverage
from stream_app.core.coverage import Coverage
from stream_app.core.labels import Entry, Verdict
from stream_app.core.watermark import Watermark

PAGE_KEYS = 64  # of up to 800 bytes each; a home's key is about 30
WEEK_MS = 7 * DAY_MS


class Filed(Struct, array_like=True):
    """Pages of one week: which comes next, and how many keys were filed so far."""

    week: int  # since 1970
    page: int = 0
    keys: int = 0


class Ledger(Struct, array_like=True):
    """State of one market in one partition, beside its entries and pages."""

    watermark: Watermark = msgspec.field(default_factory=Watermark)
    filed: list[Filed] = []  # weeks rising
    entries: dict[str, int] = {}  # how many are in each state now
    expired: dict[str, int] = {}  # how many went, by their last state
    coverage: Coverage = msgspec.field(default_factory=Coverage)


class Shelf(NamedTuple):
    """What belongs to a market in a partition; the mappings are those of the whole partition."""

    market: str
    ledger: Ledger
    policy: Policy
    entries: MutableMapping[str, Entry | None]
    pages: MutableMapping[str, list[str]]  # by page_key; empty: gone or never there


def page_key(market: str, week: int, number: int) -> str:
    """Name a page in the state."""
    return f"page:{market}:{week}:{number}"


def touch(shelf: Shelf, key: str, entry: Entry, before: str | None, at_ms: int) -> None:
    """Say that an entry was heard of at `at_ms`.

    `before` is the state that it had, None for a new one. An event older than the watermark
    counts as of that.
    """
    week = max(at_ms, shelf.ledger.watermark.newest_ms) // WEEK_MS
    entry.touched_week = max(entry.touched_week, week)
    if before is None:
        _file(shelf, key, entry)
    if before != entry.state:
        _count(shelf.ledger.entries, before, -1)
        _count(shelf.ledger.entries, entry.state, 1)


def count(shelf: Shelf, entry: Entry, verdict: Verdict, at_ms: int) -> None:
    """Enter a listing that may still be labelled, or its first label, in the coverage."""
    ledger = shelf.ledger
    if verdict is Verdict.JOINED:
        coverage.note_label(ledger.coverage, entry.listed_week, entry.listed_ms, at_ms)
    elif entry.listed_week < 0 and entry.served is not None:
        entry.listed_week = entry.touched_week
        oldest_week = ledger.watermark.newest_ms // WEEK_MS - _weeks(shelf.policy)
        coverage.note_listing(ledger.coverage, entry.listed_week, oldest_week)


def erase(shelf: Shelf, key: str, entry: Entry) -> None:
    """Drop an entry, and its key from its page."""
    shelf.pages[page_key(shelf.market, entry.filed_week, entry.page)].remove(key)
    _drop(shelf, key, entry)


def forget(shelf: Shelf) -> None:
    """Handle one page at most: the first that is due, or the next one when there is too much."""
    ledger = shelf.ledger
    too_many = sum(ledger.entries.values()) > shelf.policy.ledger_entries
    now = ledger.watermark.newest_ms // WEEK_MS
    if not (too_many or ledger.filed[0].week < now):
        return
    for key in _next_page(shelf):
        entry = shelf.entries[key]
        if entry is None:
            raise InvariantBroken(f"ledger entry {key!r} is on a page and nowhere else")
        if too_many or _due(shelf, entry) < now:
            _count(ledger.expired, entry.state, 1)
            _drop(shelf, key, entry)
        else:
            _file(shelf, key, entry)


def _due(shelf: Shelf, entry: Entry) -> int:
    """The week after which an entry has been silent for `ledger_days` at least."""
    return entry.touched_week + _weeks(shelf.policy)


def _weeks(policy: Policy) -> int:
    return -(-policy.ledger_days // 7)


def _file(shelf: Shelf, key: str, entry: Entry) -> None:
    filed, week = shelf.ledger.filed, _due(shelf, entry)
    place = bisect_left(filed, week, key=_week)
    if place == len(filed) or filed[place].week != week:
        filed.insert(place, Filed(week))
    at = filed[place]
    entry.filed_week, entry.page = week, at.keys // PAGE_KEYS
    at.keys += 1
    shelf.pages[page_key(shelf.market, week, entry.page)].append(key)


_week = attrgetter("week")


def _next_page(shelf: Shelf) -> list[str]:
    """Take the page that is due next off the shelf."""
    first = shelf.ledger.filed[0]
    name = page_key(shelf.market, first.week, first.page)
    keys, shelf.pages[name] = shelf.pages[name], []
    first.page += 1
    if first.page * PAGE_KEYS >= first.keys:
        del shelf.ledger.filed[0]
    return keys


def _drop(shelf: Shelf, key: str, entry: Entry) -> None:
    shelf.entries[key] = None
    _count(shelf.ledger.entries, entry.state, -1)


def _count(counts: dict[str, int], state: str | None, more: int) -> None:
    if state is not None:
        counts[state] = counts.get(state, 0) + more
