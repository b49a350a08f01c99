"""A worker's load is that of all its partitions, and its level follows it down again."""

from stream_app.contract.models import Overload
from stream_app.shell.load import Load, lag_events
from stream_app.shell.watchdog import THE_GROUP, Seen, Still


def test_the_lags_of_all_partitions_count_and_what_is_unknown_does_not() -> None:
    looked = {
        THE_GROUP: Still(Seen(1, None, 900)),
        0: Still(Seen(1, 10, 40)),
        1: Still(Seen(1, 0, 12)),
        2: Still(Seen(1, 0, None)),
    }

    assert lag_events(looked) == 42


def test_a_level_ends_by_itself_some_time_after_the_lag_is_gone() -> None:
    lags = iter([0, 100, 200, 90, 20, 0])
    load = Load(lambda: next(lags), limit_events=100)

    assert [load() for _ in range(6)] == [
        Overload.NONE,
        Overload.REASONS,
        Overload.SHADOW,
        Overload.SHADOW,
        Overload.REASONS,
        Overload.NONE,
    ]
