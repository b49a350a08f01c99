"""Why a price is what it is: what it would be for a home typical of its region.

A reason is a group of features and its effect: the champion's log price of the home,
less what the champion says when that group is as usual in the region and all else stays
(core/typical.py). It tells of the *champion's* log price: what the corrector adds is in
the prediction's components, and mostly cancels in a difference of two prices anyway.

Effects do not add up to a total: groups act together in a tree. A group that changes
nothing is no reason; without a champion or a typical home there are none.
"""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_app.contract.predictions import Reason, ReasonGroup
from stream_app.core.features import NAMES

REASONS_MAX = 3

# Beginnings of names: a group has all features that begin so. Each feature is in one group.
GROUPS: Mapping[ReasonGroup, tuple[str, ...]] = MappingProxyType(
    {
        ReasonGroup.SIZE: ("home_log_area", "home_basement_m2", "home_log_lot"),
        ReasonGroup.ROOMS: ("home_bedrooms", "home_bathrooms", "home_storeys"),
        ReasonGroup.CONDITION: ("home_condition", "home_grade", "home_renovated_years"),
        ReasonGroup.AGE: ("home_age_years", "home_lease_years"),
        ReasonGroup.LOCATION: (
            "home_street_code",
            "home_region_code",
            "home_latitude",
            "home_longitude",
            "home_log_neighbour_",
            "home_floor",
            "home_view",
            "home_waterfront",
        ),
        ReasonGroup.TYPE: ("home_type_code", "home_model_code"),
        ReasonGroup.MARKET_LEVEL: ("region_", "street_"),
        ReasonGroup.SEASON: ("season_",),
    }
)
_ORDER: tuple[ReasonGroup, ...] = tuple(GROUPS)
# Shape (groups, features): whether the group has the feature.
_HAS = np.array([[name.startswith(starts) for name in NAMES] for starts in GROUPS.values()])
# The same as numbers: a product of matrices asks all groups of all homes at once.
_HAS_COUNTED = _HAS.T.astype(np.float32)


class WhatIf(NamedTuple):
    """Rows to predict beside the homes' own, one for each group in which a home is unusual."""

    rows: NDArray[np.float64]  # shape (m, features)
    homes: Sequence[int]  # (m,): which home a row is a variant of
    groups: Sequence[int]  # (m,): which group is as usual in it, by place


def what_if(
    rows: NDArray[np.float64], typical: NDArray[np.float64], used: NDArray[np.bool_]
) -> WhatIf:
    """Set each group of each home to what is typical, where that is something else.

    Parameters
    ----------
    rows, typical : shape (n, features); the home itself as its typical home asks nothing
    used : shape (features,), which features the model looks at: the others change no price
    """
    same = (rows == typical) | (np.isnan(rows) & np.isnan(typical)) | ~used
    unusual = (~same).astype(np.float32) @ _HAS_COUNTED > 0
    groups, homes = np.nonzero(unusual.T)
    variants = np.where(_HAS[groups], typical[homes], rows[homes])
    return WhatIf(variants, homes.tolist(), groups.tolist())


def explain(
    asked: WhatIf, own_log: Sequence[float], variant_log: Sequence[float]
) -> list[tuple[Reason, ...]]:
    """The greatest effects of each home, the greatest first; of equal ones the first group.

    Parameters
    ----------
    own_log : shape (n,), the champion's log price of each home
    variant_log : shape (m,), of each row of `asked`
    """
    effects: list[list[Reason]] = [[] for _ in own_log]
    for home, group, log_price in zip(asked.homes, asked.groups, variant_log, strict=True):
        effect_log = own_log[home] - log_price
        if 0 < abs(effect_log) < math.inf:  # not so of NaN: a model may say nothing to a row
            effects[home].append(Reason(_ORDER[group], effect_log))
    return [
        tuple(sorted(each, key=lambda reason: -abs(reason.effect_log))[:REASONS_MAX])
        for each in effects
    ]
