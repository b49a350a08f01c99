"""What one sink is owed. Pure: messages in, parcels out; times are arguments.

A notice is owed until the sink has taken it, and the offset that may be committed is that of the
oldest one owed: after a death the rest is read from the topic again. What is acknowledged or
snoozed when its turn comes is not sent. A storm is one parcel: beyond so many in a window,
all that waits goes as a digest, once a window.
"""

from collections import deque
from dataclasses import dataclass, field

from msgspec import Struct

from monitoring.alerting import book as books
from monitoring.alerting.book import Book, Standing
from monitoring.alerting.notices import Notice, Parcel
from stream_app.contract.alerts import AnyAlertMessage

PARCEL_MAX = 200  # notices of about 1 kB: what a receiver takes in one request


class Storm(Struct, frozen=True):
    """From when on a digest is sent."""

    singles: int  # in a window
    window_s: float


@dataclass
class Outbox:
    """State of one sink. `owed_from`: the offset committed last; None: it is new."""

    storm: Storm
    owed_from: int | None
    book: Book = field(default_factory=dict)
    waiting: deque[Notice] = field(default_factory=deque)
    next_offset: int = 0
    singles_s: deque[float] = field(default_factory=deque)
    digest_s: float = float("-inf")

    def take(self, offset: int, message: AnyAlertMessage | None) -> None:
        """Take in the topic's next record; None: it says nothing to us."""
        self.next_offset = offset + 1
        news = None if message is None else books.take(self.book, message)
        if news is not None:
            self.waiting.append(Notice(offset, news))

    def caught_up(self) -> None:
        """All that was there is read. To a new sink, or on a topic made anew, what is open is news."""
        if self.owed_from is not None and self.owed_from <= self.next_offset:
            owed = [notice for notice in self.waiting if notice.offset >= self.owed_from]
        else:
            owed = [notice for notice in self.waiting if self.book[notice.entry.id].open]
            owed = list({notice.entry.id: notice for notice in owed}.values())
        self.waiting = deque(sorted(owed, key=lambda notice: notice.offset))

    def due(self, now_s: float, wall_ms: int, *, last: bool = False) -> Parcel:
        """What is to be sent now; empty: nothing. `last`: nothing is held back for a digest."""
        self.waiting = deque(n for n in self.waiting if not self._is_silenced(n, wall_ms))
        while self.singles_s and now_s - self.singles_s[0] >= self.storm.window_s:
            self.singles_s.popleft()
        if not self.waiting or len(self.waiting) + len(self.singles_s) <= self.storm.singles:
            return tuple(self.waiting)[:1]
        if not last and now_s - self.digest_s < self.storm.window_s:
            return ()
        return tuple(self.waiting)[:PARCEL_MAX]

    def sent(self, parcel: Parcel, now_s: float) -> None:
        """The sink has taken it."""
        for _ in parcel:
            self.waiting.popleft()
        if len(parcel) > 1 or len(self.singles_s) >= self.storm.singles:
            self.digest_s = now_s
        else:
            self.singles_s.append(now_s)

    def done_offset(self) -> int:
        """Up to here nothing is owed any more."""
        return self.waiting[0].offset if self.waiting else self.next_offset

    def _is_silenced(self, notice: Notice, wall_ms: int) -> bool:
        entry = self.book[notice.entry.id]
        snoozed = entry.snoozed is not None and wall_ms < entry.snoozed.until_ms
        return snoozed or entry.standing(wall_ms) is Standing.ACKNOWLEDGED
