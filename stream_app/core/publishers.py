"""What a partition knows of a publisher, and whether its word is learned from.

Not here: who may send at all (the broker's business), and what one event must be
(contract/rules.py). A name is what the event says: nothing proves it.

Theory of operation
-------------------
One record per publisher and partition, in the partition's state. It moves with
every event, in the order of the log, and with nothing else: no clock, no batch.
Shares are decayed by events, so a publisher mends its name by good events alone.

A publisher is *doubted* while any of these holds:

- REJECTS: too many of its newest events were refused.
- FIELD: a field that it used to send is gone. It stays so until the field is back,
  or until its absence has become the habit: nothing tells a change of mind from a
  mistake, so this one ends by itself, after some 300 listings.
- UNIT: the median of its newest sales lies by a factor of three from what their
  regions paid per m2: another unit, another currency. A sale in a region without
  a median of its own counts as none, or a publisher alone in a region, whose sales
  are kept out of the windows, could never be held against anything again.

What is doubted is answered like everything else, and marked. It enters no window
and teaches nothing. Each limit to begin a doubt lies apart from the one to end it,
or a share at the limit would tell so at every event.

A repeated event (a duplicate) is counted, and says nothing else of its publisher.

Names are at most `OWN_RECORDS` per partition, first come, first served, and a name
is only taken from an event that could be believed: whoever invents names by the
thousand fills no memory with refused ones. All others share the record of no name.
"""

import math

import msgspec
from msgspec import Struct

from stream_app.contract.events import Listing
from stream_app.contract.predictions import Doubt
from stream_app.contract.rejects import InvariantBroken
from stream_app.contract.spans import DAY_MS

# 500 records of about 1 kB: half a megabyte of state per partition.
OWN_RECORDS = 500
SHARED = ""  # no event has a source without a letter

# Fewer events say little: 2 refused of 5 may be bad luck.
JUDGED_MIN = 50
# 44 events to half: a burst of 15 refused ones is seen, 3 % of them never.
_REFUSED_RATE = 1 / 64
REFUSED_LIMIT = 0.2
REFUSED_END = 0.1

# What most homes of a market have, so that its absence is news; models lean on them.
KEY_FIELDS = (
    "bedrooms",
    "floor",
    "built_year",
    "lease_remaining_years",
    "grade",
    "lot_m2",
    "latitude",
)
HABIT_MIN = 0.75  # share of listings that had the field, for it to be a habit
PRESENT_LIMIT = 0.25
PRESENT_END = 0.5
_HABIT_RATE = 1 / 1024
_PRESENT_RATE = 1 / 16

SHIFTS_KEPT = 15
SHIFT_LIMIT = math.log(3)  # feet for metres are 10.76, a price in thousands is 1,000
SHIFT_END = math.log(2)

# A day and more is no clock that is wrong, but a history that is told anew.
SKEW_BELIEVED_MS = DAY_MS
# Old enough to be forgotten: a clock that was set right is told so after twice as many.
_LAG_EVENTS = 500


class Publisher(Struct, array_like=True):
    """State of one publisher in one partition."""

    market: str = ""  # of its newest believed event
    counts: dict[str, int] = {}  # events by "kind:verdict", and by "rejected:code"
    judged: int = 0  # events, but for duplicates
    refused: float = 0.0  # decayed share
    listings: int = 0
    habits: list[float] = []  # share of listings with each of KEY_FIELDS
    present: list[float] = []  # the same of the newest ones
    shifts: list[float] = []  # log sale price less the region's, newest last
    # Least append time less event time, ms: of this spell of events, and of the one before.
    lag_ms: int | None = None
    lag_before_ms: int | None = None
    doubts: list[Doubt] = []
    told: list[Doubt] = []  # those that an alert was raised for


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Publisher)


def freeze(publisher: Publisher) -> bytes:
    """Publisher to bytes; equal ones give equal bytes."""
    return _encoder.encode(publisher)


def thaw(frozen: bytes) -> Publisher:
    """Bytes to publisher.

    Raises
    ------
    InvariantBroken : the bytes are no publisher
    """
    try:
        return _decoder.decode(frozen)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvariantBroken(f"publisher record of {len(frozen)} bytes: {error}") from error


def count(publisher: Publisher, what: str) -> None:
    """Count one event under a name such as "sale:joined"."""
    publisher.counts[what] = publisher.counts.get(what, 0) + 1


def judge(publisher: Publisher, *, refused: bool) -> None:
    """Take in whether an event was refused.

    >>> clumsy = Publisher()
    >>> for n in range(100):
    ...     judge(clumsy, refused=n % 3 == 0)
    >>> clumsy.doubts, round(clumsy.refused, 2)
    ([<Doubt.REJECTS: 'rejects'>], 0.27)
    """
    publisher.judged += 1
    if publisher.judged % _LAG_EVENTS == 0:
        publisher.lag_before_ms, publisher.lag_ms = publisher.lag_ms, None
    publisher.refused += (refused - publisher.refused) * _REFUSED_RATE
    begins = publisher.judged >= JUDGED_MIN and publisher.refused > REFUSED_LIMIT
    _hold(publisher, Doubt.REJECTS, begins=begins, stays=publisher.refused >= REFUSED_END)


def time(publisher: Publisher, lag_ms: int) -> None:
    """Take in how long after its time an event was taken by the broker, ms."""
    if abs(lag_ms) < SKEW_BELIEVED_MS:
        publisher.lag_ms = lag_ms if publisher.lag_ms is None else min(publisher.lag_ms, lag_ms)


def least_lag_ms(publisher: Publisher) -> int | None:
    """The least append time less event time of its newest events; None when unknown.

    Below 0 its clock is ahead, by this or more. Above 0 it is behind by this at most: a
    late clock looks like a slow way. Nothing is corrected by it: it is told, not absorbed.

    >>> live = Publisher()
    >>> for lag_ms in (900, -40_000, 1_200):
    ...     time(live, lag_ms)
    >>> least_lag_ms(live), least_lag_ms(Publisher())
    (-40000, None)
    """
    known = [lag for lag in (publisher.lag_ms, publisher.lag_before_ms) if lag is not None]
    return min(known, default=None)


def describe(publisher: Publisher, listing: Listing) -> None:
    """Take in which of the key fields a listing has."""
    publisher.listings = n = publisher.listings + 1
    if n == 1:
        publisher.habits, publisher.present = [0.0] * len(KEY_FIELDS), [0.0] * len(KEY_FIELDS)
    habits, present = publisher.habits, publisher.present
    # Plain means at first: nothing is known of a newcomer.
    habit_rate = 1 / n if n <= JUDGED_MIN else _HABIT_RATE
    present_rate = max(1 / n, _PRESENT_RATE)
    begins = stays = False
    for place, field in enumerate(KEY_FIELDS):
        has = getattr(listing, field) is not None
        habits[place] += (has - habits[place]) * habit_rate
        present[place] += (has - present[place]) * present_rate
        if habits[place] >= HABIT_MIN:
            begins |= present[place] < PRESENT_LIMIT
            stays |= present[place] < PRESENT_END
    _hold(publisher, Doubt.FIELD, begins=begins and n >= JUDGED_MIN, stays=stays)


def compare(publisher: Publisher, shift_log: float | None) -> None:
    """Take in a sale: its log price less what its region paid for so many m2; None unknown.

    >>> in_feet = Publisher()
    >>> for _ in range(8):
    ...     compare(in_feet, -math.log(10.76))
    >>> in_feet.doubts
    [<Doubt.UNIT: 'unit'>]
    """
    publisher.shifts.append(shift_log or 0.0)
    del publisher.shifts[:-SHIFTS_KEPT]
    # Places not filled yet count as 0: a few sales are no ground for a doubt.
    padded = sorted(publisher.shifts + [0.0] * (SHIFTS_KEPT - len(publisher.shifts)))
    off = abs(padded[SHIFTS_KEPT // 2])
    _hold(publisher, Doubt.UNIT, begins=off > SHIFT_LIMIT, stays=off > SHIFT_END)


def _hold(publisher: Publisher, doubt: Doubt, *, begins: bool, stays: bool) -> None:
    """Begin a doubt, keep it, or end it."""
    if doubt in publisher.doubts:
        if not stays:
            publisher.doubts.remove(doubt)
    elif begins:
        publisher.doubts.append(doubt)
        publisher.doubts.sort()
