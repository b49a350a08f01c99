"""What is named of two answers to one listing."""

import math

import msgspec
import pytest

from stream_app.contract.predictions import Arm, Change, Step, Versions, What
from stream_app.core.features import FEATURE_SET, NAMES, year
from stream_app.core.labels import Served
from stream_app.stages import changes
from tests import messages
from tests.builders import DAY_MS, LISTED_MS

VERSIONS = Versions("v1", "c1", FEATURE_SET)
BUILT = 1955


def row(at_ms: int = LISTED_MS, built: int = BUILT, **told: float) -> tuple[float, ...]:
    values = {
        "home_age_years": year(at_ms) - built,
        "home_grade": 7.0,
        "region_ppm2_median_90d": 8.0,
    }
    return tuple((values | told).get(name, math.nan) for name in NAMES)


def served(**changed: object) -> Served:
    first = Served(
        "p-1",
        LISTED_MS,
        False,
        110.0,
        "house",
        row(),
        price=100_000.0,
        step=Step.CHAMPION,
        components=messages.COMPONENTS,
        versions=VERSIONS,
        naive_log=12.0,
    )
    return msgspec.structs.replace(first, **changed)


LATER_MS = LISTED_MS + 200 * DAY_MS


@pytest.mark.parametrize(
    ("after", "named"),
    [
        ({}, ()),
        ({"features": row(home_grade=8.0)}, (Change(What.HOME, features=("home_grade",)),)),
        ({"features": row(built=1960)}, (Change(What.HOME, features=("home_age_years",)),)),
        (
            {"features": row(home_age_years=math.nan)},
            (Change(What.HOME, features=("home_age_years",)),),
        ),
        (
            {"features": row(LATER_MS, season_sin=0.5), "listed_ms": LATER_MS},
            (Change(What.TIME, features=("home_age_years", "season_sin")),),
        ),
        (
            {"features": row(region_ppm2_median_90d=8.1)},
            (Change(What.MARKET, features=("region_ppm2_median_90d",)),),
        ),
        ({"naive_log": 12.1}, (Change(What.MARKET),)),
        ({"region_labels": 4}, (Change(What.REGION_LEVEL, "0", "4"),)),
        (
            {"versions": Versions("v2", None, FEATURE_SET)},
            (Change(What.MODEL, "v1", "v2"), Change(What.CORRECTOR, "c1", None)),
        ),
        ({"step": Step.PREVIOUS}, (Change(What.STEP, "champion", "previous"),)),
        ({"arm": Arm.CHALLENGER}, (Change(What.ARM, "champion", "challenger"),)),
    ],
    ids=[
        "nothing", "home", "built", "no longer known", "time", "market", "median", "region level",
        "models", "step", "arm",
    ],
)  # fmt: skip
def test_what_is_another_thing_is_named_and_nothing_else(
    after: dict[str, object], named: tuple[Change, ...]
) -> None:
    assert changes.since(served(), served(**after)) == named


def test_a_larger_home_is_no_news_of_the_market() -> None:
    larger = served(area_m2=120.0, naive_log=12.1, features=row(home_log_area=math.log(120.0)))

    assert [each.what for each in changes.since(served(), larger)] == [What.HOME]


def test_a_version_where_there_was_none_is_named() -> None:
    before = served(versions=Versions(None, None, FEATURE_SET))

    assert changes.since(before, served()) == (
        Change(What.MODEL, None, "v1"),
        Change(What.CORRECTOR, None, "c1"),
    )


def test_rows_of_other_features_are_not_compared() -> None:
    before = served(features=(1.0,), versions=Versions("v1", "c1", "other"))

    assert changes.since(before, served()) == ()


def test_the_move_is_in_log_price() -> None:
    assert changes.moved_log(served(), served(price=200_000.0)) == pytest.approx(math.log(2))


@pytest.mark.parametrize("prices", [(None, 1.0), (1.0, None)])
def test_without_a_price_nothing_moved(prices: tuple[float | None, float | None]) -> None:
    before, after = prices

    assert changes.moved_log(served(price=before), served(price=after)) is None
