"""How well each publisher sends: what was accepted, refused, late, repeated, off. Pure.

By what was archived: events as sent, rejects with their codes, predictions with their marks. A
prediction names the record that it answers, and so its publisher. Not here: whether a publisher
is doubted, which scorers judge in the stream (their alerts are folded in book.py).

Memory: some 100 bytes for each event of the window, to know repeated and refused ones.
"""

import hashlib
from collections.abc import Collection

import msgspec
from msgspec import Struct

from monitoring.heads import TIME_END_MS
from stream_app.contract import wire
from stream_app.contract.events import Listing, kind_of_type
from stream_app.contract.predictions import QualityReason
from stream_app.contract.spans import DAY_MS

# Who invents names fills no memory: what comes beyond is counted together, under no name.
PUBLISHERS_MAX = 1_000
NAME_CHARS_MAX = 64  # longer names break a rule of the contract
# A day and more is no clock that is wrong, but a history that is told anew.
SKEW_BELIEVED_MS = DAY_MS
LISTING = kind_of_type(Listing)


class Card(Struct):
    """One publisher. Times are those at which the broker took its events."""

    publisher: str
    events: int = 0
    kinds: dict[str, int] = {}
    rejected: dict[str, int] = {}  # by code
    duplicates: int = 0  # sent again, under the same id, and not refused
    priced: int = 0  # listings; the marks below are of these
    repaired: int = 0
    late: int = 0
    doubted: int = 0  # priced while it was doubted
    # Least time from an event to its record: below 0 the clock is ahead, by this or more;
    # null: only history was sent.
    least_lag_ms: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    doubts: tuple[str, ...] = ()  # causes of it that are open now

    @property
    def accepted(self) -> int:
        return self.events - self.duplicates - sum(self.rejected.values())


class _Said(Struct):
    listing_id: object = None
    event_id: object = None
    event_time_ms: object = None
    kind: object = None


_decoder = msgspec.json.Decoder(_Said)


class Scorecard:
    """All publishers of a window: rejects, then events, then predictions.

    What was refused is no repetition, nor is what comes after it under its id: the ledger
    knows nothing of it.
    """

    def __init__(self) -> None:
        self.cards: dict[str, Card] = {}
        self._seen: set[bytes] = set()
        self._places: dict[tuple[int, int], str] = {}  # of listings
        self._refused: dict[tuple[str, str], str] = {}  # partition, offset -> code

    def card(self, name: str) -> Card:
        """The publisher's card; that of no name when there are too many."""
        name = name[:NAME_CHARS_MAX]
        if name not in self.cards and len(self.cards) >= PUBLISHERS_MAX:
            name = ""
        return self.cards.setdefault(name, Card(name))

    def take_event(self, partition: int, offset: int, appended_ms: int, raw: bytes) -> None:
        """Count an event as it was sent."""
        card = self.card(wire.publisher_of(raw))
        said = _said(raw)
        kind = said.kind if isinstance(said.kind, str) else "unreadable"
        card.events += 1
        card.kinds[kind[:NAME_CHARS_MAX]] = card.kinds.get(kind[:NAME_CHARS_MAX], 0) + 1
        card.from_ms = min(appended_ms, card.from_ms or appended_ms)
        card.to_ms = max(appended_ms, card.to_ms or appended_ms)
        code = self._refused.pop((str(partition), str(offset)), None)
        if code is None:
            self._note_id(card, said)
        else:
            card.rejected[code] = card.rejected.get(code, 0) + 1
        _note_lag(card, said, appended_ms)
        if kind == LISTING:
            self._places[partition, offset] = card.publisher

    def take_reject(self, partition: str, offset: str, code: str) -> None:
        """Know of the event at this place, yet to come, that it was refused."""
        self._refused[partition, offset] = code

    def take_prediction(self, partition: int, offset: int, reasons: Collection[str]) -> None:
        """Count an answer to a listing of the window, and its marks."""
        name = self._places.pop((partition, offset), None)  # an answer told twice is one
        if name is None:
            return
        card = self.cards[name]
        card.priced += 1
        card.repaired += QualityReason.REPAIRED in reasons
        card.late += QualityReason.LATE in reasons
        card.doubted += QualityReason.PUBLISHER_DOUBTED in reasons

    def _note_id(self, card: Card, said: _Said) -> None:
        if not (isinstance(said.listing_id, str) and isinstance(said.event_id, str)):
            return
        name = f"{said.listing_id}\0{said.event_id}".encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(name, digest_size=10).digest()
        card.duplicates += digest in self._seen
        self._seen.add(digest)


def _said(raw: bytes) -> _Said:
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Said()


def _note_lag(card: Card, said: _Said, appended_ms: int) -> None:
    at_ms = said.event_time_ms
    if type(at_ms) is not int or not 0 <= at_ms < TIME_END_MS:
        return
    lag_ms = appended_ms - at_ms
    if abs(lag_ms) < SKEW_BELIEVED_MS:
        card.least_lag_ms = lag_ms if card.least_lag_ms is None else min(lag_ms, card.least_lag_ms)
