"""Event time of a region: what is late, and what is too far ahead to be believed.

Not here: whether an event comes from the future; that is judged against the
time the broker took it (stages/scorer.py).

The clock of a region is the newest event time it believes. It lives in the
region's record, so late or not is decided the same way in every replay.

The watermark of a partition says what time it is for all of a market's regions in it, the
silent ones, too: by it the ledger forgets. Two events may make one region believe an absurd
date, and that region is late from then on. They must not make a partition forget all that it
waits for, nor must a region that stays behind keep it from ever forgetting. So the watermark
leaps when votes for it outnumber those against it by many: an event that is beyond is one for
it, any other one against it, but of a region that speaks several times in a row on the same
side only the first counts. One region alone neither moves nor holds the others' time. Where
there is only one, and before any time is known, each event counts.
"""

from enum import Enum, auto

from msgspec import Struct

from stream_app.contract.spans import DAY_MS

# One absurd date must not make a region late for ever: a leap beyond this needs
# a second witness. No region of King County or HDB was silent for so long.
LEAP_MS = 45 * DAY_MS
# More than regions cast by mistake while others go on. The first hundred events of a
# partition only tell it the time: nothing is old enough to be forgotten then.
WITNESSES = 100


class Timing(Enum):
    """When an event comes, seen from its region."""

    ON_TIME = auto()
    LATE = auto()  # its time is closed
    LEAP = auto()  # far ahead and unconfirmed


class Clock(Struct, array_like=True):
    """State. `leap_*`: the event that leapt ahead and waits for a second witness.

    Also the first event ever waits for one: `leap_ms` is `newest_ms` until then.
    """

    newest_ms: int = 0
    leap_ms: int = 0
    leap_event_id: str = ""


def observe(clock: Clock, at_ms: int, event_id: str, lateness_ms: int) -> Timing:
    """Judge an event by the clock, then move the clock.

    `lateness_ms` is what events of its kind are allowed: contract/models.py, Policy. The
    clock moves back only from a first date that the second event is far behind: it may have
    been the absurd one, and nobody else has spoken for it.

    >>> clock = Clock()
    >>> observe(clock, 100 * DAY_MS, "a", DAY_MS), observe(clock, 98 * DAY_MS, "b", DAY_MS)
    (<Timing.ON_TIME: 1>, <Timing.LATE: 2>)
    >>> observe(clock, 900 * DAY_MS, "absurd", DAY_MS), clock.newest_ms == 100 * DAY_MS
    (<Timing.LEAP: 3>, True)
    """
    if not clock.newest_ms:
        clock.newest_ms, clock.leap_ms, clock.leap_event_id = at_ms, at_ms, event_id
        return Timing.ON_TIME
    if clock.leap_ms == clock.newest_ms:  # the second event
        if at_ms < clock.newest_ms - LEAP_MS:  # what was the clock is a leap now
            clock.newest_ms = at_ms
            return Timing.ON_TIME
        clock.leap_ms, clock.leap_event_id = 0, ""
    if at_ms < clock.newest_ms - lateness_ms:
        return Timing.LATE
    if at_ms > clock.newest_ms + LEAP_MS:
        return _leap(clock, at_ms, event_id)
    clock.newest_ms = max(clock.newest_ms, at_ms)
    if clock.leap_ms <= clock.newest_ms:  # reached since: no witness any more
        clock.leap_ms, clock.leap_event_id = 0, ""
    return Timing.ON_TIME


def _leap(clock: Clock, at_ms: int, event_id: str) -> Timing:
    """Believe the nearer of two witnesses; the farther one may be the absurd one."""
    if clock.leap_event_id in ("", event_id):
        clock.leap_ms, clock.leap_event_id = at_ms, event_id
        return Timing.LEAP
    nearer = min(clock.leap_ms, at_ms)
    clock.newest_ms = nearer
    if at_ms > nearer + LEAP_MS:
        clock.leap_ms, clock.leap_event_id = at_ms, event_id
        return Timing.LEAP
    clock.leap_ms, clock.leap_event_id = 0, ""
    clock.newest_ms = max(nearer, at_ms)
    return Timing.ON_TIME


class Watermark(Struct, array_like=True):
    """State. `leap_*`: the earliest of the events that are beyond, and the votes for them."""

    newest_ms: int = 0  # 0: not known yet
    leap_ms: int = 0
    leap_votes: int = 0
    leap_region: str = ""  # the last that voted for the leap
    near_region: str = ""  # the last that was heard of without
    regions: list[str] = []  # the first two ever heard of: is there more than one?


def follow(watermark: Watermark, region: str, at_ms: int) -> None:
    """Move on to the time of an event that its region believes. It never moves back.

    >>> watermark = Watermark(100 * DAY_MS)
    >>> for _ in range(WITNESSES - 1):
    ...     follow(watermark, "the only one", 900 * DAY_MS)
    >>> watermark.newest_ms == 100 * DAY_MS
    True
    >>> follow(watermark, "the only one", 901 * DAY_MS)
    >>> watermark.newest_ms == 900 * DAY_MS
    True
    """
    known = watermark.regions
    if len(known) < 2 and region not in known:
        known.append(region)
    alone = len(known) == 1
    if at_ms <= watermark.newest_ms + LEAP_MS:
        watermark.newest_ms = max(watermark.newest_ms, at_ms)
        if watermark.leap_votes and (alone or region != watermark.near_region):
            watermark.leap_votes -= 1
        watermark.near_region = region
        return
    watermark.leap_ms = min(watermark.leap_ms, at_ms) if watermark.leap_votes else at_ms
    if alone or not watermark.newest_ms or region != watermark.leap_region:
        watermark.leap_votes += 1
    watermark.leap_region = region
    if watermark.leap_votes == WITNESSES:
        watermark.newest_ms = watermark.leap_ms
        watermark.leap_votes = 0
