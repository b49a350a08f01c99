"""Why a prediction is not what it was: what changed since the one that it supersedes.

Only what a price is made of: the listing's own features, time, the region's market, the
models. Each is named if it is another one, whether or not the price moved with it; a
price cannot move unless one of them did (tests/laws/test_changes.py). The home's own first
listing counts in the market that an amendment of it sees.
"""

import math
from collections.abc import Iterator

from stream_app.contract.predictions import Change, What
from stream_app.core.features import FEATURE_SET, NAMES, year
from stream_app.core.labels import Served

# Years since something: they grow by themselves, and are amended when the year is another.
_SINCE = ("home_age_years", "home_renovated_years")


def since(before: Served, after: Served) -> tuple[Change, ...]:
    """What is another thing in the newer answer, in the order of `What`."""
    return tuple(_changes(before, after))


def moved_log(before: Served, after: Served) -> float | None:
    """By how much the log price moved; None where one of the two has no price."""
    if before.price is None or after.price is None:
        return None
    return math.log(after.price) - math.log(before.price)


def _changes(before: Served, after: Served) -> Iterator[Change]:
    assert before.versions is not None  # noqa: S101 - answered
    # Rows of a program of before have other columns.
    comparable = before.versions.feature_set == FEATURE_SET
    home, time, market = _features(before, after) if comparable else ((), (), ())
    if home:
        yield Change(What.HOME, features=home)
    if before.listed_ms != after.listed_ms:
        yield Change(What.TIME, features=time)
    # The regional median is a figure of its own, and asks for no feature.
    same_home = before.area_m2 == after.area_m2
    if market or (same_home and before.naive_log != after.naive_log):
        yield Change(What.MARKET, features=market)
    if before.region_labels != after.region_labels:
        yield Change(What.REGION_LEVEL, str(before.region_labels), str(after.region_labels))
    yield from _models(before, after)


def _models(before: Served, after: Served) -> Iterator[Change]:
    assert before.versions is not None  # noqa: S101 - answered
    assert after.versions is not None  # noqa: S101 - answered
    for what, was, is_now in (
        (What.MODEL, before.versions.champion, after.versions.champion),
        (What.CORRECTOR, before.versions.corrector, after.versions.corrector),
        (What.STEP, before.step, after.step),
        (What.ARM, before.arm, after.arm),
    ):
        if was != is_now:
            yield Change(what, None if was is None else str(was), is_now and str(is_now))


def _features(before: Served, after: Served) -> tuple[tuple[str, ...], ...]:
    """Names of the features that differ: the home's, those that follow time, the market's."""
    home: list[str] = []
    time: list[str] = []
    market: list[str] = []
    for name, was, is_now in zip(NAMES, before.features, after.features, strict=False):
        if was == is_now or (was != was and is_now != is_now):
            continue
        if name in _SINCE:
            grown = _year_of(before, was) == _year_of(after, is_now)
            (time if grown else home).append(name)
        elif name.startswith("season_"):
            time.append(name)
        else:
            (home if name.startswith("home_") else market).append(name)
    return tuple(home), tuple(time), tuple(market)


def _year_of(served: Served, years_since: float) -> int | None:
    """The year that a feature counts from."""
    return None if math.isnan(years_since) else round(year(served.listed_ms) - years_since)
