"""What a change of champions is told to do to prices."""

import numpy as np
import pyarrow as pa
import pytest

from offline.expected_shift import HOMES_MIN, shifts
from stream_app.core.features import NAMES
from stream_app.scoring.champion import Champion
from tests import champions

RISE_LOG = 0.05


def champion(level_log: float) -> Champion:
    announced = champions.at_level(level_log, "v").announced
    return Champion(champions.regressor(level_log), announced.manifest)


def reference(*regions: str) -> pa.Table:
    rows = champions.rows(len(regions))
    columns = {name: rows[:, place] for place, name in enumerate(NAMES)}
    return pa.table({**columns, "region": list(regions), "property_type": ["house"] * len(regions)})


@pytest.fixture(scope="module")
def old() -> Champion:
    return champion(champions.LEVEL_LOG)


def test_each_segment_is_told_how_far_its_prices_move(old: Champion) -> None:
    told = shifts(
        old, champion(champions.LEVEL_LOG + RISE_LOG), reference(*["a"] * 20, *["b"] * 30)
    )

    assert [(shift.segment, shift.homes) for shift in told] == [
        ("", 50),
        ("region=a", 20),
        ("region=b", 30),
        ("property_type=house", 50),
    ]
    assert [shift.median_log for shift in told] == pytest.approx([RISE_LOG] * 4, abs=1e-6)


def test_a_champion_moves_nothing_against_itself(old: Champion) -> None:
    assert {s.median_log for s in shifts(old, old, reference(*["a"] * 25))} == {0.0}


def test_a_segment_of_few_homes_is_not_told_of(old: Champion) -> None:
    few = reference(*["a"] * (HOMES_MIN - 1), *["b"] * HOMES_MIN)

    assert "region=a" not in {shift.segment for shift in shifts(old, old, few)}


def test_null_is_unknown_to_both(old: Champion) -> None:
    homes = reference(*["a"] * 20)
    unknown = homes.set_column(0, NAMES[0], pa.nulls(20, pa.float64()))

    assert np.isfinite([shift.median_log for shift in shifts(old, old, unknown)]).all()
