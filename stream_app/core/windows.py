"""Rings of buckets: what happened in a region over the last hours and days.

Not here: what is late (watermark.py), which rings a region keeps (region.py).

Theory of operation
-------------------
A ring holds one bucket per span of `bucket_ms` of event time, and only those
buckets in which something happened. A bucket is integers: the sum and the sum of
squares of log price per m2 in millionths, and a histogram of it. As integers add
up the same in any order, the order of arrival leaves no trace. Where nothing but
how many is asked, a bucket is that number alone, and the ring a `Tally` of them.

A window of n buckets at time t is the bucket of t and the n - 1 before it, so
its length is exact to one bucket. It is asked for at the time of the event that
needs it, not at the newest one: a listing that comes a little late sees what it
would have seen on time. That is why a ring is longer than its longest window,
by the allowed lateness.

Buckets and bins stand in rising order, so that equal rings are equal bytes. A bucket
stays frozen until it is touched: most things change the newest one of a quarter's, and
to walk the others for each record was more than half of the price of freezing it.

Buckets leave when a newer event is counted (`insert`, `tally`), never by the clock on
the wall: an idle region stays as it is, and asks find its old buckets outside
of their window.

A median comes from the histogram: bins of 1 % of price, the middle of the bin
that holds the middle sale, so it is off by half a percent at most. For an even
number of sales it is the lower of the two middle ones.

A window that was summed up is kept beside its ring and moves with it: what enters
and what leaves is added and taken away, which integers allow. Added up from its
buckets anew for each listing, the quarter of a busy town took a third of the step.
What is kept so is derived, and never frozen. A window of a tally is not kept: its
buckets are looked at once, which costs less than to move it.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Reversible
from functools import cached_property

import msgspec
from msgspec import Struct

MICRO = 1_000_000  # log units are kept as integer millionths
BIN_MICRO = 10_000  # a histogram bin is 0.01 log units wide: 1 % of price


class Window(Struct, frozen=True):
    """Config. Bucket k covers [k * bucket_ms, (k + 1) * bucket_ms) of event time."""

    bucket_ms: int
    buckets: int

    def __post_init__(self) -> None:
        if self.bucket_ms < 1 or self.buckets < 1:
            raise ValueError(f"{self}: bucket_ms and buckets must be 1 or more")


class Bucket(Struct, array_like=True, gc=False):
    """State of one bucket. Sums are over the values in millionths of a log unit."""

    total: int = 0
    squares: int = 0
    bins: dict[int, int] = {}  # bin -> how many; msgspec gives each bucket its own


# gc=False: these hold no cycles, and the collector need not walk them.
class Sums(Struct, gc=False):
    """The last `span` buckets of a ring up to number `now`, added up."""

    span: int
    now: int
    total: int = 0
    squares: int = 0
    places: list[int] = []  # of their bins, one for each thing counted, rising


class Ring(Struct, array_like=True, dict=True):
    """State. Only buckets in which something was counted, by number."""

    head: int = 0  # number of the newest bucket
    buckets: dict[int, bytes] = {}  # frozen ones

    @cached_property
    def sums(self) -> list[Sums]:
        """Those summed up last. Derived: neither compared nor frozen."""
        return []


# State of what is only counted: number of a bucket -> how many, in rising order.
Tally = dict[int, int]


class Summary(Struct, frozen=True, gc=False):
    """What a window says. Figures are log units; None where there is nothing to say."""

    count: int
    mean: float | None
    deviation: float | None  # population standard deviation; None below two
    median: float | None


# Bucket to bytes and back; equal buckets give equal bytes.
freeze = msgspec.msgpack.Encoder().encode
thaw = msgspec.msgpack.Decoder(Bucket).decode


def micro(log_value: float) -> int:
    """Log units to integer millionths, rounded to even.

    >>> micro(8.5)
    8500000
    """
    return round(log_value * MICRO)


def insert(window: Window, ring: Ring, at_ms: int, value_micro: int) -> None:
    """Count one thing and its value at `at_ms` (event time). Ignored when older than the ring.

    >>> from stream_app.contract.spans import DAY_MS
    >>> ring, day = Ring(), Window(DAY_MS, 2)
    >>> insert(day, ring, 5 * DAY_MS, micro(8.0))
    >>> insert(day, ring, 7 * DAY_MS, micro(9.0))  # two days on: the first one leaves
    >>> sorted(ring.buckets)
    [7]
    """
    number = at_ms // window.bucket_ms
    if number > ring.head:
        _advance(window, ring, number)
    elif number <= ring.head - window.buckets:
        return
    frozen = ring.buckets.get(number)
    bucket = Bucket() if frozen is None else thaw(frozen)
    bucket.total += value_micro
    bucket.squares += value_micro * value_micro
    place = value_micro // BIN_MICRO
    if place in bucket.bins:
        bucket.bins[place] += 1
    else:
        bucket.bins = dict(sorted([*bucket.bins.items(), (place, 1)]))
    ring.buckets[number] = freeze(bucket)
    if frozen is None and number < ring.head:
        ring.buckets = dict(sorted(ring.buckets.items()))
    for sums in ring.sums:
        if _holds(sums, number):
            sums.total += value_micro
            sums.squares += value_micro * value_micro
            insort(sums.places, place)


def tally(window: Window, kept: Tally, at_ms: int) -> None:
    """Count one thing at `at_ms` (event time). Ignored when older than what is kept.

    >>> from stream_app.contract.spans import DAY_MS
    >>> kept, day = {}, Window(DAY_MS, 2)
    >>> for n in (5, 7, 6):  # of two days: with the 7th the 5th leaves
    ...     tally(day, kept, n * DAY_MS)
    >>> kept
    {6: 1, 7: 1}
    """
    number = at_ms // window.bucket_ms
    newest = next(reversed(kept), number)
    if number in kept:
        kept[number] += 1
    elif number >= newest:
        while kept and (oldest := next(iter(kept))) <= number - window.buckets:
            del kept[oldest]
        kept[number] = 1
    elif number > newest - window.buckets:
        ordered = sorted([*kept.items(), (number, 1)])
        kept.clear()
        kept.update(ordered)


def count(window: Window, kept: Tally, at_ms: int, spans: tuple[int, ...]) -> tuple[int, ...]:
    """How many were counted in the last `spans` buckets before and at `at_ms`, rising spans.

    >>> from stream_app.contract.spans import DAY_MS
    >>> kept, day = {}, Window(DAY_MS, 9)
    >>> for n in (1, 6, 7, 7):
    ...     tally(day, kept, n * DAY_MS)
    >>> count(day, kept, 7 * DAY_MS, (1, 7))
    (2, 4)
    """
    now = at_ms // window.bucket_ms
    return tuple([_counted(kept, now - span, now) for span in spans])


def newest_ms(window: Window, numbers: Reversible[int], at_ms: int) -> int | None:
    """When the newest of rising buckets that is not after `at_ms` began; None: there is none.

    >>> from stream_app.contract.spans import DAY_MS
    >>> newest_ms(Window(DAY_MS, 9), [1, 6, 8], 7 * DAY_MS) == 6 * DAY_MS
    True
    """
    began = (number * window.bucket_ms for number in reversed(numbers))
    return next((began_ms for began_ms in began if began_ms <= at_ms), None)


def summarise(
    window: Window, ring: Ring, at_ms: int, spans: tuple[int, ...]
) -> tuple[Summary, ...]:
    """Sum up the windows of the last `spans` buckets at `at_ms`.

    >>> from stream_app.contract.spans import DAY_MS
    >>> ring, day = Ring(), Window(DAY_MS, 9)
    >>> insert(day, ring, DAY_MS, micro(8.0))
    >>> insert(day, ring, 2 * DAY_MS, micro(8.2))
    >>> [round(s.mean, 6) for s in summarise(day, ring, 2 * DAY_MS, (1, 2))]
    [8.2, 8.1]
    """
    return tuple([_summary(sums) for sums in _sums(ring, spans, at_ms // window.bucket_ms)])


def _advance(window: Window, ring: Ring, head: int) -> None:
    buckets, ring.head = ring.buckets, head
    while buckets and (number := next(iter(buckets))) <= head - window.buckets:
        bucket = buckets.pop(number)
        for sums in ring.sums:
            if _holds(sums, number):
                _leave(sums, bucket)


def _counted(kept: Tally, before: int, now: int) -> int:
    """How many were counted after bucket `before`, up to bucket `now`."""
    n = 0
    for number, many in reversed(kept.items()):
        if number <= before:
            break
        if number <= now:
            n += many
    return n


def _sums(ring: Ring, spans: tuple[int, ...], now: int) -> list[Sums]:
    """The windows kept beside the ring, moved to `now`."""
    kept = ring.sums
    if tuple([sums.span for sums in kept]) != spans:
        kept[:] = [_add_up(ring, span, now) for span in spans]
    for place, sums in enumerate(kept):
        if abs(now - sums.now) >= sums.span:
            kept[place] = _add_up(ring, sums.span, now)
        elif now != sums.now:
            _move(ring, sums, now)
    return kept


def _holds(sums: Sums, number: int) -> bool:
    """Whether a bucket is in the sums."""
    return sums.now - sums.span < number <= sums.now


def _add_up(ring: Ring, span: int, now: int) -> Sums:
    held = [thaw(each) for number, each in ring.buckets.items() if now - span < number <= now]
    return Sums(
        span,
        now,
        sum([bucket.total for bucket in held]),
        sum([bucket.squares for bucket in held]),
        sorted([place for bucket in held for place, n in bucket.bins.items() for _ in range(n)]),
    )


def _move(ring: Ring, sums: Sums, now: int) -> None:
    """Move a window on or back: at one end buckets enter, at the other they leave."""
    buckets, span = ring.buckets, sums.span
    for number in range(sums.now + 1, now + 1):
        if number in buckets:
            _enter(sums, buckets[number])
        if number - span in buckets:
            _leave(sums, buckets[number - span])
    for number in range(sums.now, now, -1):
        if number in buckets:
            _leave(sums, buckets[number])
        if number - span in buckets:
            _enter(sums, buckets[number - span])
    sums.now = now


def _enter(sums: Sums, frozen: bytes) -> None:
    bucket = thaw(frozen)
    sums.total += bucket.total
    sums.squares += bucket.squares
    for place, n in bucket.bins.items():
        at = bisect_left(sums.places, place)
        sums.places[at:at] = [place] * n


def _leave(sums: Sums, frozen: bytes) -> None:
    bucket = thaw(frozen)
    sums.total -= bucket.total
    sums.squares -= bucket.squares
    for place, n in bucket.bins.items():
        at = bisect_left(sums.places, place)
        del sums.places[at : at + n]


def _summary(sums: Sums) -> Summary:
    n = len(sums.places)
    if n == 0:
        return Summary(0, None, None, None)
    deviation = None
    if n > 1:
        # Integers until the root: no cancellation.
        deviation = math.sqrt(n * sums.squares - sums.total * sums.total) / n / MICRO
    middle = sums.places[(n - 1) // 2]
    median = (middle * BIN_MICRO + BIN_MICRO / 2) / MICRO
    return Summary(n, sums.total / n / MICRO, deviation, median)
