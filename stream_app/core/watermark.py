"""Event time of a region: what is late, and what is too far ahead to be believed.

Not here: whether an event comes from the future; that is judged against the
time the broker took it (stages/scorer.py).

The clock of a region is the newest event time it believes. It lives in the
region's record, so late or not is decided the same way in every replay.
"""

from enum import Enum, auto

from msgspec import Struct

from stream_app.contract.spans import DAY_MS

# One absurd date must not make a region late for ever: a leap beyond this needs
# a second witness. No region of King County or HDB was silent for so long.
LEAP_MS = 45 * DAY_MS


class Timing(Enum):
    """When an event comes, seen from its region."""

    ON_TIME = auto()
    LATE = auto()  # its time is closed
    LEAP = auto()  # far ahead and unconfirmed


class Clock(Struct, array_like=True):
    """State. `leap_*`: the event that leapt ahead and waits for a second witness."""

    newest_ms: int = 0
    leap_ms: int = 0
    leap_event_id: str = ""


def observe(clock: Clock, at_ms: int, event_id: str, lateness_ms: int) -> Timing:
    """Judge an event by the clock, then move the clock. It never moves back.

    `lateness_ms` is what events of its kind are allowed: contract/models.py, Policy.

    >>> clock = Clock()
    >>> observe(clock, 100 * DAY_MS, "a", DAY_MS), observe(clock, 98 * DAY_MS, "b", DAY_MS)
    (<Timing.ON_TIME: 1>, <Timing.LATE: 2>)
    >>> observe(clock, 900 * DAY_MS, "absurd", DAY_MS), clock.newest_ms == 100 * DAY_MS
    (<Timing.LEAP: 3>, True)
    """
    if at_ms < clock.newest_ms - lateness_ms:
        return Timing.LATE
    if clock.newest_ms and at_ms > clock.newest_ms + LEAP_MS:
        return _leap(clock, at_ms, event_id)
    clock.newest_ms = max(clock.newest_ms, at_ms)
    return Timing.ON_TIME


def _leap(clock: Clock, at_ms: int, event_id: str) -> Timing:
    """Believe the nearer of two witnesses; the farther one may be the absurd one."""
    # A leap that the clock has reached since is no witness: it would turn the clock back.
    witnessed = clock.leap_event_id not in ("", event_id) and clock.leap_ms > clock.newest_ms
    if not witnessed:
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
