"""Rings and tallies equal brute-force windows after every arrival, whatever comes first."""

import math
import statistics
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.core.windows import (
    BIN_MICRO,
    MICRO,
    Bucket,
    Ring,
    Summary,
    Tally,
    Window,
    count,
    freeze,
    insert,
    summarise,
    tally,
    thaw,
)
from tests.laws.law import LAW, PLANTED

LATENESS_BUCKETS = 2
SPANS = (1, 3)
WINDOW = Window(bucket_ms=10, buckets=SPANS[-1] + LATENESS_BUCKETS)

Insert = Callable[[Window, Ring, int, int], None]
Count = Callable[[Window, Tally, int], None]
Summarise = Callable[[Window, Ring, int, tuple[int, ...]], tuple[Summary, ...]]

THINGS = st.lists(
    st.tuples(st.integers(0, 99), st.integers(-2 * MICRO, 20 * MICRO)), min_size=1, max_size=30
)


def brute_force(things: list[tuple[int, int]], at_ms: int, span: int) -> list[int]:
    """Values of the last `span` buckets at `at_ms`, sorted."""
    newest = at_ms // WINDOW.bucket_ms
    return sorted(value for t, value in things if newest - span < t // WINDOW.bucket_ms <= newest)


def assert_says(summary: Summary, values: list[int]) -> None:
    n = len(values)
    assert summary.count == n
    if n == 0:
        assert (summary.mean, summary.median) == (None, None)
        return
    assert summary.mean == sum(values) / n / MICRO
    assert summary.median is not None
    assert abs(summary.median * MICRO - values[(n - 1) // 2]) <= BIN_MICRO / 2 + 1e-6
    if n > 1:
        assert summary.deviation is not None
        assert math.isclose(
            summary.deviation * MICRO, statistics.pstdev(values), rel_tol=1e-9, abs_tol=1e-3
        )


def check_law(insert_one: Insert, ask: Summarise = summarise, how: settings = LAW) -> None:
    @how
    @given(THINGS, st.lists(st.integers(-LATENESS_BUCKETS * 10, 30), min_size=1))
    def ring_equals_brute_force(things: list[tuple[int, int]], asked_after_ms: list[int]) -> None:
        ring = Ring()
        for number, (at_ms, value) in enumerate(things, start=1):
            insert_one(WINDOW, ring, at_ms, value)
            newest_ms = max(t for t, _ in things[:number])
            ask_ms = newest_ms + asked_after_ms[number % len(asked_after_ms)]
            windows = [brute_force(things[:number], ask_ms, span) for span in SPANS]
            for summary, values in zip(ask(WINDOW, ring, ask_ms, SPANS), windows, strict=True):
                assert_says(summary, values)
            assert len(ring.buckets) <= WINDOW.buckets

    ring_equals_brute_force()


def check_law_of_tallies(tally_one: Count, how: settings = LAW) -> None:
    @how
    @given(THINGS, st.lists(st.integers(-LATENESS_BUCKETS * 10, 30), min_size=1))
    def tally_equals_brute_force(things: list[tuple[int, int]], asked_after_ms: list[int]) -> None:
        kept: Tally = {}
        for number, (at_ms, _) in enumerate(things, start=1):
            tally_one(WINDOW, kept, at_ms)
            newest_ms = max(t for t, _ in things[:number])
            ask_ms = newest_ms + asked_after_ms[number % len(asked_after_ms)]
            windows = [brute_force(things[:number], ask_ms, span) for span in SPANS]
            assert count(WINDOW, kept, ask_ms, SPANS) == tuple(map(len, windows))
            assert list(kept) == sorted(kept)
            assert len(kept) <= WINDOW.buckets

    tally_equals_brute_force()


def insert_at_the_head(window: Window, ring: Ring, at_ms: int, value: int) -> None:
    """Planted: what comes late is counted as if it came now."""
    insert(window, ring, max(at_ms, ring.head * window.bucket_ms), value)


def insert_and_keep(window: Window, ring: Ring, at_ms: int, value: int) -> None:
    """Planted: nothing ever leaves, so the record grows for ever."""
    ring.sums.clear()
    kept = dict(ring.buckets)
    insert(window, ring, at_ms, value)
    ring.buckets = kept | ring.buckets


def insert_means(window: Window, ring: Ring, at_ms: int, value: int) -> None:
    """Planted: keeps a rounded mean instead of the sum."""
    insert(window, ring, at_ms, value)
    for number, frozen in ring.buckets.items():
        bucket = thaw(frozen)
        n = sum(bucket.bins.values())
        bucket.total = bucket.total // n * n
        ring.buckets[number] = freeze(bucket)
    ring.sums.clear()


def insert_without_late_bins(window: Window, ring: Ring, at_ms: int, value: int) -> None:
    """Planted: the histogram is of the newest bucket only."""
    insert(window, ring, at_ms, value)
    for number, frozen in ring.buckets.items():
        if number < ring.head:
            bucket = thaw(frozen)
            bucket.bins = {0: sum(bucket.bins.values())}
            ring.buckets[number] = freeze(bucket)
    ring.sums.clear()


def insert_unnoticed(window: Window, ring: Ring, at_ms: int, value: int) -> None:
    """Planted: a window that is kept does not hear of what is counted, nor of what leaves."""
    kept, ring.sums[:] = list(ring.sums), []
    insert(window, ring, at_ms, value)
    ring.sums[:] = kept


def summarise_at_the_head(
    window: Window, ring: Ring, at_ms: int, spans: tuple[int, ...]
) -> tuple[Summary, ...]:
    """Planted: a window ends at the newest bucket, whenever it is asked for."""
    return summarise(window, ring, ring.head * window.bucket_ms, spans)


def tally_at_the_head(window: Window, kept: Tally, at_ms: int) -> None:
    """Planted: what comes late is counted as if it came now."""
    tally(window, kept, max(at_ms, max(kept, default=0) * window.bucket_ms))


def tally_and_keep(window: Window, kept: Tally, at_ms: int) -> None:
    """Planted: nothing ever leaves."""
    number = at_ms // window.bucket_ms
    kept[number] = kept.get(number, 0) + 1


def tally_unsorted(window: Window, kept: Tally, at_ms: int) -> None:
    """Planted: buckets stand in the order in which they came."""
    before = list(kept)
    tally(window, kept, at_ms)
    for number in sorted(kept, key=lambda each: before.index(each) if each in before else 99):
        kept[number] = kept.pop(number)


def tally_days_that_are_over(window: Window, kept: Tally, at_ms: int) -> None:
    """Planted: a bucket that no one counted in while it was new is closed."""
    if at_ms // window.bucket_ms in kept or at_ms // window.bucket_ms >= max(kept, default=0):
        tally(window, kept, at_ms)


def test_a_ring_equals_brute_force() -> None:
    check_law(insert)


def test_a_tally_equals_brute_force() -> None:
    check_law_of_tallies(tally)


@pytest.mark.parametrize(
    "planted",
    [
        insert_at_the_head,
        insert_and_keep,
        insert_means,
        insert_without_late_bins,
        insert_unnoticed,
    ],
)
def test_the_law_of_rings_catches_a_bad_insert(planted: Insert) -> None:
    with pytest.raises(AssertionError):
        check_law(planted, how=PLANTED)


@pytest.mark.parametrize(
    "planted", [tally_at_the_head, tally_and_keep, tally_unsorted, tally_days_that_are_over]
)
def test_the_law_of_tallies_catches(planted: Count) -> None:
    with pytest.raises(AssertionError):
        check_law_of_tallies(planted, how=PLANTED)


def test_the_law_of_rings_catches_a_window_at_the_head() -> None:
    with pytest.raises(AssertionError):
        check_law(insert, summarise_at_the_head, PLANTED)


def test_two_buckets_do_not_share_their_bins() -> None:
    assert Bucket().bins is not Bucket().bins
