"""How soon labels come, and how many ever do. Counted per market and partition, in event time.

Not here: what a label is joined with (labels.py).

Listings are counted in cohorts, by the week in which they were listed; a label counts for
the cohort of its listing, whenever it comes. So the share labelled among listings of any
age can be told, and young listings, whose labels are still to come, are never held against
the rest. Cohorts older than the ledger remembers are added up in `matured`.

The delay curve is a histogram of the days from a listing to its first label.
"""

from bisect import bisect_left
from operator import attrgetter

import msgspec
from msgspec import Struct

from stream_app.contract.spans import DAY_MS

# Upper ends, days. Homes sell within weeks to months; a label after a year is rare.
DELAY_DAYS = (7, 14, 30, 60, 90, 180, 365)


class Cohort(Struct, array_like=True):
    """Listings of one week since 1970, and how many of them have a label by now."""

    week: int
    listed: int = 0
    labelled: int = 0


class Coverage(Struct, array_like=True):
    """State."""

    cohorts: list[Cohort] = []  # weeks rising
    matured: Cohort = msgspec.field(default_factory=lambda: Cohort(0))
    # Labels by delay: up to each of DELAY_DAYS and above the one before it, then all above.
    delays: list[int] = msgspec.field(default_factory=lambda: [0] * (len(DELAY_DAYS) + 1))
    delay_days_total: int = 0


def note_listing(coverage: Coverage, week: int, oldest_week: int) -> None:
    """Count a listing in the cohort of its week; cohorts before `oldest_week` are closed."""
    cohorts = coverage.cohorts
    while cohorts and cohorts[0].week < oldest_week:
        closed = cohorts.pop(0)
        coverage.matured.listed += closed.listed
        coverage.matured.labelled += closed.labelled
    place = bisect_left(cohorts, week, key=_week)
    if place == len(cohorts) or cohorts[place].week != week:
        cohorts.insert(place, Cohort(week))
    cohorts[place].listed += 1


def note_label(coverage: Coverage, week: int, listed_ms: int, sold_ms: int) -> None:
    """Count the first label of a listing that was counted in the cohort of `week`.

    >>> coverage = Coverage()
    >>> note_listing(coverage, 2300, 0)
    >>> note_label(coverage, 2300, 0, 30 * DAY_MS)
    >>> coverage.delays, coverage.cohorts
    ([0, 0, 1, 0, 0, 0, 0, 0], [Cohort(week=2300, listed=1, labelled=1)])
    """
    delay_ms = sold_ms - listed_ms
    coverage.delays[bisect_left(_DELAYS_MS, delay_ms)] += 1
    coverage.delay_days_total += delay_ms // DAY_MS
    place = bisect_left(coverage.cohorts, week, key=_week)
    found = coverage.cohorts[place : place + 1]
    cohort = found[0] if found and found[0].week == week else coverage.matured
    cohort.labelled += 1


def of_age(coverage: Coverage, now_week: int, weeks: int) -> Cohort:
    """Listings of at least this age, and how many of them have a label by now.

    >>> coverage = Coverage([Cohort(2300, 5, 4), Cohort(2304, 9, 1)], Cohort(0, 2, 2))
    >>> of_age(coverage, now_week=2306, weeks=4)
    Cohort(week=2302, listed=7, labelled=6)
    """
    newest = now_week - weeks
    old = [coverage.matured, *(cohort for cohort in coverage.cohorts if cohort.week <= newest)]
    return Cohort(newest, sum(each.listed for each in old), sum(each.labelled for each in old))


_DELAYS_MS = [days * DAY_MS for days in DELAY_DAYS]
_week = attrgetter("week")
