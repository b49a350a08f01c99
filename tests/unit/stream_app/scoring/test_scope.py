"""What lies beyond the rows that a champion was trained with."""

import math

import numpy as np
import pytest

from stream_app.contract.models import Scope
from stream_app.scoring.scope import NAMED_MAX, NO_MARKS, Limits, Marks

NAMES = ("area", "type", "grade", "season")
SCOPE = Scope(
    ranges={"area": (3.0, 6.0), "grade": (5.0, 9.0), "season": (0.0, 1.0)},
    property_types=("house",),
    prices=(50_000.0, 900_000.0),
)
USED = np.array([True, True, True, False])
LIMITS = Limits(SCOPE, NAMES, {"type": {"7": 0.5, "11": 0.1}}, USED)


@pytest.mark.parametrize(
    ("row", "marks"),
    [
        ((4.0, 7.0, 7.0, 0.5), NO_MARKS),
        ((3.0, 11.0, 9.0, 0.5), NO_MARKS),
        ((math.nan, math.nan, math.nan, math.nan), NO_MARKS),
        ((2.9, 7.0, 7.0, 0.5), Marks(outside=("area",))),
        ((6.1, 7.0, 9.5, 0.5), Marks(outside=("area", "grade"))),
        ((4.0, 8.0, 7.0, 0.5), Marks(unseen=("type",))),
        ((7.0, 8.0, 7.0, 0.5), Marks(("type",), ("area",))),
        ((4.0, 7.0, 7.0, 5.0), NO_MARKS),
    ],
    ids=[
        "within", "at the ends", "unknown", "below", "two above", "unseen", "both", "not looked at",
    ],
)  # fmt: skip
def test_only_what_is_beyond_is_marked(row: tuple[float, ...], marks: Marks) -> None:
    assert LIMITS.marks(np.array([row])) == [marks]


def test_each_row_has_its_own_marks() -> None:
    rows = np.array([(4.0, 7.0, 7.0, 0.5), (9.0, 7.0, 7.0, 0.5), (4.0, 9.0, 7.0, 0.5)])

    assert LIMITS.marks(rows) == [NO_MARKS, Marks(outside=("area",)), Marks(unseen=("type",))]


def test_names_are_bounded() -> None:
    names = tuple(f"f{place}" for place in range(NAMED_MAX + 4))
    scope = Scope(ranges=dict.fromkeys(names, (0.0, 1.0)), property_types=(), prices=(0.0, 1.0))
    limits = Limits(scope, names, {}, np.ones(len(names), dtype=np.bool_))

    (marks,) = limits.marks(np.full((1, len(names)), 2.0))

    assert marks.outside == names[:NAMED_MAX]


@pytest.mark.parametrize(
    ("property_type", "price", "beyond"),
    [
        ("house", 50_000.0, ()),
        ("house", 900_001.0, ("price",)),
        ("castle", 100_000.0, ("property_type",)),
        ("castle", 1.0, ("property_type", "price")),
    ],
)
def test_a_type_or_a_price_may_be_out_of_scope(
    property_type: str, price: float, beyond: tuple[str, ...]
) -> None:
    assert LIMITS.beyond(property_type, price) == beyond
