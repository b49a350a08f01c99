"""Effects of groups of features against the typical home."""

import math
from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from stream_app.contract.predictions import Reason, ReasonGroup
from stream_app.core.features import NAMES
from stream_app.scoring import reasons
from stream_app.scoring.reasons import GROUPS, explain, what_if

ALL = np.ones(len(NAMES), dtype=np.bool_)
# Weights of a linear price: any exact binary fractions.
WEIGHTS = {
    "home_log_area": 1.0,
    "home_grade": 0.25,
    "home_age_years": -0.5,
    "home_bedrooms": 0.25,
    "home_type_code": 0.0,
}


def homes(*told: dict[str, float]) -> NDArray[np.float64]:
    """Rows in which all but what is told is unknown."""
    return np.array([[each.get(name, math.nan) for name in NAMES] for each in told])


def price_log(rows: NDArray[np.float64]) -> list[float]:
    weights = np.array([WEIGHTS.get(name, 0.0) for name in NAMES])
    said: list[float] = (np.nan_to_num(rows) @ weights).tolist()
    return said


def reasons_for(
    home: dict[str, float], typical: dict[str, float], used: NDArray[np.bool_] = ALL
) -> list[tuple[str, float]]:
    rows = homes(home)
    asked = what_if(rows, homes(typical), used)
    (told,) = explain(asked, price_log(rows), price_log(asked.rows))
    return [(str(each.group), each.effect_log) for each in told]


def test_every_feature_is_in_one_group() -> None:
    groups = Counter(
        name for name in NAMES for beginnings in GROUPS.values() if name.startswith(beginnings)
    )

    assert groups == Counter(NAMES)


def test_every_group_has_its_features_and_there_are_eight_at_most() -> None:
    assert tuple(GROUPS) == tuple(ReasonGroup)
    assert len(GROUPS) <= 8


def test_an_effect_is_what_the_price_has_beyond_the_typical_one() -> None:
    assert reasons_for({"home_log_area": 5.0}, {"home_log_area": 4.5}) == [("size", 0.5)]


def test_an_unknown_value_is_held_against_what_is_usual() -> None:
    assert reasons_for({}, {"home_grade": 8.0}) == [("condition", -2.0)]


def test_the_greatest_effects_come_first_whatever_their_sign() -> None:
    home = {"home_log_area": 5.0, "home_grade": 8.0, "home_age_years": 4.0, "home_bedrooms": 5.0}
    typical = {"home_log_area": 4.75, "home_grade": 6.0, "home_age_years": 1.0, "home_bedrooms": 2}

    assert reasons_for(home, typical) == [("age", -1.5), ("rooms", 0.75), ("condition", 0.5)]


def test_of_equal_effects_the_first_group_comes_first() -> None:
    home = {"home_log_area": 5.0, "home_grade": 8.0}

    assert reasons_for(home, {"home_log_area": 4.5, "home_grade": 6.0}) == [
        ("size", 0.5),
        ("condition", 0.5),
    ]


def test_what_changes_nothing_is_no_reason() -> None:
    assert reasons_for({"home_type_code": 7.0}, {"home_type_code": 9.0}) == []


def test_a_home_against_itself_asks_nothing() -> None:
    home = {"home_log_area": 5.0}

    assert len(what_if(homes(home), homes(home), ALL).rows) == 0


def test_features_that_the_model_does_not_look_at_ask_nothing() -> None:
    used = np.array([name != "home_grade" for name in NAMES])

    asked = what_if(homes({"home_grade": 8.0}), homes({"home_grade": 6.0}), used)

    assert len(asked.rows) == 0


def test_each_home_gets_its_own_reasons() -> None:
    rows = homes({"home_log_area": 5.0}, {"home_log_area": 4.0}, {"home_grade": 8.0})
    typical = homes({"home_log_area": 4.0}, {"home_log_area": 4.0}, {"home_grade": 9.0})

    asked = what_if(rows, typical, ALL)
    told = explain(asked, price_log(rows), price_log(asked.rows))

    assert told == [
        (Reason(ReasonGroup.SIZE, 1.0),),
        (),
        (Reason(ReasonGroup.CONDITION, -0.25),),
    ]


@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_a_variant_is_usual_in_its_group_and_the_home_itself_in_all_else(group: int) -> None:
    home, typical = np.full((1, len(NAMES)), 1.0), np.full((1, len(NAMES)), 2.0)

    asked = what_if(home, typical, ALL)

    beginnings = tuple(GROUPS.values())[group]
    expected = [2.0 if name.startswith(beginnings) else 1.0 for name in NAMES]
    assert asked.groups[group] == group
    assert asked.rows[group].tolist() == expected


def test_there_are_three_reasons_at_most() -> None:
    assert reasons.REASONS_MAX == 3
