"""How far apart two parts are, and what a training made of its rows."""

import numpy as np
import pytest

from offline import shift, train
from tests import sales


def test_equal_parts_have_not_shifted() -> None:
    rows = sales.rows()

    for found in shift.compare(rows, rows):
        assert (found.psi or 0.0) == pytest.approx(0.0)
        assert (found.smd or 0.0) == pytest.approx(0.0)
        assert (found.total_variation or 0.0) == 0.0


def test_larger_homes_are_seen_as_a_shift_of_the_area() -> None:
    rows = sales.rows()
    large = rows.area_m2 > 150

    found = {s.feature: s for s in shift.compare(rows.take(~large), rows.take(large))}

    assert (found["home_log_area"].psi or 0) > 1
    assert (found["home_log_area"].smd or 0) > 1
    assert abs(found["home_grade"].smd or 0) < 0.2


def test_unknown_values_are_a_bin_of_their_own() -> None:
    known = np.arange(100.0)

    assert shift.psi(known, np.where(known < 50, np.nan, known)) > 0.2


def test_a_part_that_knows_nothing_has_no_difference_of_means() -> None:
    found = shift._number("x", np.full(5, np.nan), np.arange(5.0))

    assert found.smd is None


def test_other_regions_are_another_mix() -> None:
    rows = sales.rows()
    one = rows.region == "kc-0"

    found = {s.feature: s for s in shift.compare(rows.take(one), rows.take(~one))}

    assert found["home_region_code"].total_variation == 1.0
    assert found["home_region_code"].psi is None


def test_each_row_of_a_training_is_accounted_for() -> None:
    rows = sales.rows()
    twice = rows.take(np.sort(np.append(np.arange(len(rows)), [0, 1])))

    parts = shift.report(twice, train.train(twice, seed=0, made_ms=1))

    assert parts.duplicates == 2
    assert parts.older + parts.newer + parts.left_out == len(rows)
    assert "home_age_years" in parts.shifted
