"""What is usual in a region, feature by feature."""

import math

import pytest

from stream_app.core import typical
from stream_app.core.features import FEATURE_SET, NAMES
from stream_app.core.region import Typical

AREA, TYPE = NAMES.index("home_log_area"), NAMES.index("home_type_code")
LOT = NAMES.index("home_log_lot")


def row(area: float = 4.0, kind: float = 7.0, lot: float = math.nan) -> tuple[float, ...]:
    """A home of which three features are told."""
    told = {AREA: area, TYPE: kind, LOT: lot}
    return tuple(told.get(place, math.nan) for place in range(len(NAMES)))


def after(*rows: tuple[float, ...]) -> Typical:
    kept = Typical()
    for each in rows:
        typical.note(kept, each)
    return kept


def usual(kept: Typical, own: tuple[float, ...] | None = None) -> tuple[float, ...]:
    found = typical.against(kept, own or row())
    assert found is not None
    return found


def test_a_few_homes_are_no_custom() -> None:
    few = [row()] * (typical.HOMES_MIN - 1)

    assert typical.against(after(*few), row()) is None
    assert typical.against(after(*few, row()), row()) is not None


def test_what_is_measured_has_its_mean() -> None:
    kept = after(*[row(area) for area in (4.0, 5.0, 6.0, 5.0, 4.5)])

    assert usual(kept)[AREA] == pytest.approx(4.9)


def test_the_mean_is_of_the_homes_that_tell() -> None:
    kept = after(*[row(lot=lot) for lot in (6.0, 7.0, 8.0, math.nan, math.nan)])

    assert usual(kept)[LOT] == pytest.approx(7.0)


def test_what_most_homes_do_not_tell_is_usually_unknown() -> None:
    kept = after(*[row(lot=lot) for lot in (6.0, 7.0, math.nan, math.nan, math.nan)])

    assert math.isnan(usual(kept)[LOT])


def test_the_most_frequent_name_is_usual() -> None:
    kept = after(*[row(kind=kind) for kind in (7.0, 9.0, 9.0, 7.0, 9.0)])

    assert usual(kept)[TYPE] == 9.0


def test_of_names_as_frequent_the_first_that_came_is_usual() -> None:
    kept = after(*[row(kind=kind) for kind in (9.0, 7.0, 7.0, 9.0, 9.0, 7.0)])

    assert usual(kept)[TYPE] == 9.0


def test_where_no_name_is_frequent_a_home_keeps_its_own() -> None:
    kept = after(*[row(kind=float(kind)) for kind in range(40)])

    assert usual(kept, row(kind=17.0))[TYPE] == 17.0


def test_where_all_names_cost_each_other_their_place_a_home_keeps_its_own() -> None:
    kept = after(*[row(kind=float(kind)) for kind in range(typical.SLOTS + 1)])

    assert kept.votes[0] == {}
    assert usual(kept, row(kind=17.0))[TYPE] == 17.0


def test_a_name_that_came_twice_outlives_those_that_came_once() -> None:
    kept = after(*[row(kind=float(kind)) for kind in (0, *range(typical.SLOTS + 1))])

    assert kept.votes[0] == {0: 1}


def test_a_name_that_most_homes_do_not_tell_is_usually_unknown() -> None:
    kept = after(*[row(kind=kind) for kind in (7.0, 7.0, math.nan, math.nan, math.nan)])

    assert math.isnan(usual(kept)[TYPE])


def test_what_was_long_ago_fades() -> None:
    once = [row(4.0, 7.0)] * typical.COUNT_MAX
    since = [row(5.0, 9.0)] * typical.COUNT_MAX

    kept = after(*once, row(4.0, 8.0), *since)

    found = usual(kept)
    assert found[AREA] > 4.7
    assert found[TYPE] == 9.0
    assert kept.homes < typical.COUNT_MAX
    assert 8 not in kept.votes[0]


def test_a_record_of_other_features_is_begun_anew() -> None:
    kept = after(*[row(4.0)] * typical.HOMES_MIN)
    kept.feature_set = "others"

    assert typical.against(kept, row()) is None
    typical.note(kept, row(6.0))

    assert (kept.feature_set, kept.homes, kept.means[AREA]) == (FEATURE_SET, 1, 6.0)
