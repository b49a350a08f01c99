"""Rings of buckets, by small examples. That they hold for any input: tests/laws/test_rings.py."""

import pytest

from stream_app.core.windows import (
    Ring,
    Summary,
    Tally,
    Window,
    count,
    insert,
    micro,
    summarise,
    tally,
    thaw,
)

MINUTE = Window(bucket_ms=20_000, buckets=3)
EMPTY = Summary(0, None, None, None)


def ring_of(*times_ms: int) -> Ring:
    ring = Ring()
    for at_ms in times_ms:
        insert(MINUTE, ring, at_ms, micro(8.0))
    return ring


def tally_of(*times_ms: int) -> Tally:
    kept: Tally = {}
    for at_ms in times_ms:
        tally(MINUTE, kept, at_ms)
    return kept


def priced(*values: float) -> Summary:
    """What a window says of some log prices in one bucket."""
    ring = Ring()
    for value in values:
        insert(MINUTE, ring, 5_000, micro(value))
    (summary,) = summarise(MINUTE, ring, 5_000, (1,))
    return summary


@pytest.mark.parametrize(("bucket_ms", "buckets"), [(0, 3), (20_000, 0)])
def test_a_window_without_length_is_refused(bucket_ms: int, buckets: int) -> None:
    with pytest.raises(ValueError, match=f"bucket_ms={bucket_ms}, buckets={buckets}"):
        Window(bucket_ms, buckets)


#  s        0         20        40        60        80
#  buckets  [----0----)[----1----)[----2----)[----3----)
#  before   [   A at 5          |           )
#  after               [        |           |  B at 65 )    0 left, and A with it
def test_the_oldest_bucket_leaves_when_the_head_moves_on() -> None:
    ring = ring_of(5_000)

    insert(MINUTE, ring, 65_000, micro(8.0))

    assert sorted(ring.buckets) == [3]


def test_all_buckets_leave_when_the_head_leaps() -> None:
    ring = ring_of(5_000, 25_000, 45_000)

    insert(MINUTE, ring, 900_000, micro(8.0))

    assert sorted(ring.buckets) == [45]


def test_a_bucket_that_leaves_is_taken_out_of_the_windows_that_hold_it() -> None:
    ring = ring_of(5_000)
    assert summarise(MINUTE, ring, 5_000, (3,)) != (EMPTY,)

    insert(MINUTE, ring, 65_000, micro(8.0))

    assert summarise(MINUTE, ring, 5_000, (3,)) == (EMPTY,)


def test_a_bucket_that_leaves_changes_no_window_that_does_not_hold_it() -> None:
    ring = ring_of(5_000, 45_000)
    (newest,) = summarise(MINUTE, ring, 45_000, (1,))

    insert(MINUTE, ring, 65_000, micro(8.0))

    assert summarise(MINUTE, ring, 45_000, (1,)) == (newest,)


def test_a_window_that_was_asked_for_goes_back_in_time() -> None:
    ring = Ring()
    for bucket, value in enumerate((8.0, 8.2, 8.4)):
        insert(MINUTE, ring, bucket * MINUTE.bucket_ms, micro(value))
    summarise(MINUTE, ring, 45_000, (2,))

    (before,) = summarise(MINUTE, ring, 25_000, (2,))

    assert before.count == 2
    assert before.mean == pytest.approx(8.1)


def test_what_is_older_than_the_ring_is_ignored() -> None:
    ring = ring_of(65_000)

    insert(MINUTE, ring, 19_999, micro(8.0))

    assert sorted(ring.buckets) == [3]


def test_what_comes_late_but_within_the_ring_is_counted_in_its_own_bucket() -> None:
    ring = ring_of(65_000)

    insert(MINUTE, ring, 20_000, micro(8.0))

    assert [(number, thaw(each).bins) for number, each in ring.buckets.items()] == [
        (1, {800: 1}),
        (3, {800: 1}),
    ]


def test_what_is_older_than_a_tally_is_ignored_and_what_is_late_counted_in_its_own_bucket() -> None:
    assert tally_of(65_000, 19_999, 20_000, 65_000) == {1: 1, 3: 2}


def test_the_oldest_of_a_tally_leave_when_something_newer_is_counted() -> None:
    assert tally_of(5_000, 25_000, 65_000) == {1: 1, 3: 1}


def test_an_empty_tally_counts_nothing() -> None:
    assert count(MINUTE, {}, 65_000, (1, 3)) == (0, 0)


def test_a_window_is_asked_for_at_its_own_time_and_not_at_the_newest() -> None:
    kept = tally_of(25_000, 45_000, 65_000)

    assert count(MINUTE, kept, 45_000, (1, 2)) == (1, 2)


def test_a_count_ends_at_its_longest_span() -> None:
    kept = tally_of(5_000, 25_000, 45_000)

    assert count(MINUTE, kept, 45_000, (1, 2)) == (1, 2)


def test_summaries_of_an_empty_ring_say_nothing() -> None:
    assert summarise(MINUTE, Ring(), 65_000, (1, 3)) == (EMPTY, EMPTY)


def test_summaries_leave_out_what_came_after_their_time() -> None:
    ring = ring_of(25_000, 65_000)

    assert [s.count for s in summarise(MINUTE, ring, 45_000, (1, 3))] == [0, 1]


def test_spans_longer_than_what_is_there_say_the_same() -> None:
    ring = ring_of(65_000)

    one, two, three = summarise(MINUTE, ring, 65_000, (1, 2, 3))

    assert one == two == three


def test_a_summary_stops_at_its_span() -> None:
    ring = ring_of(5_000, 45_000)

    assert [s.count for s in summarise(MINUTE, ring, 45_000, (1, 2))] == [1, 1]


@pytest.mark.parametrize(
    ("values", "mean"),
    [((8.0,), 8.0), ((8.0, 9.0), 8.5), ((-1.0, 1.0), 0.0)],
    ids=["one", "two", "negative too"],
)
def test_the_mean_is_that_of_the_values(values: tuple[float, ...], mean: float) -> None:
    assert priced(*values).mean == mean


@pytest.mark.parametrize(
    ("values", "deviation"),
    [((8.0,), None), ((8.0, 8.0), 0.0), ((8.0, 9.0), 0.5)],
    ids=["none of one", "none among equals", "half the distance of two"],
)
def test_the_deviation_is_that_of_the_population(
    values: tuple[float, ...], deviation: float | None
) -> None:
    assert priced(*values).deviation == deviation


@pytest.mark.parametrize(
    ("values", "median"),
    [
        ((8.0,), 8.005),
        ((8.0, 8.2, 9.9), 8.205),
        ((9.9, 8.2, 8.0), 8.205),
        ((8.0, 8.2), 8.005),
        ((-0.001,), -0.005),
    ],
    ids=["one", "odd", "any order", "even: the lower", "bins go down below zero"],
)
def test_the_median_is_the_middle_of_its_bin(values: tuple[float, ...], median: float) -> None:
    assert priced(*values).median == pytest.approx(median, abs=1e-12)


def test_equal_rings_keep_buckets_and_bins_in_rising_order() -> None:
    ring = Ring()
    for at_ms, value in ((45_000, 8.2), (5_000, 9.0), (25_000, 8.0), (25_000, 7.0)):
        insert(MINUTE, ring, at_ms, micro(value))

    assert list(ring.buckets) == [0, 1, 2]
    assert list(thaw(ring.buckets[1]).bins) == [700, 800]
