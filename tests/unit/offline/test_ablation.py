"""What a feature is worth is found: much for what makes the price, nothing for noise."""

import pytest

from offline import ablation
from offline.ablation import Gain, Report
from tests import sales

told: list[str] = []


@pytest.fixture(scope="module")
def report() -> Report:
    return ablation.run(sales.rows(), 2, told.append, ("home_log_area", "season_sin", "home_floor"))


def gain(report: Report, what: str) -> Gain:
    return next(each for each in report.gains if each.what == what)


def test_what_makes_the_price_gains_far_more_than_its_spread(report: Report) -> None:
    area = gain(report, "home_log_area")

    assert area.used
    assert area.answer > 0.5
    assert area.answer > 3 * area.spread


def test_what_is_not_read_is_tried_with_it_and_gains_nothing(report: Report) -> None:
    season = gain(report, "season_sin")

    assert not season.used
    assert abs(season.answer) < 0.05


def test_each_gain_is_told_as_soon_as_it_is_known(report: Report) -> None:
    assert len(told) == len(report.gains)
    assert any(line.startswith("season_sin: ") and line.endswith(" when read") for line in told)


def test_a_column_that_the_market_does_not_fill_is_left_out(report: Report) -> None:
    assert "home_floor" not in {each.what for each in report.gains}


def test_the_table_names_its_command_and_has_a_row_for_each_gain(report: Report) -> None:
    table = ablation.markdown(report, "python -m offline ablate")

    assert "`python -m offline ablate`" in table
    assert sum(line.startswith("| ") for line in table.splitlines()) == len(report.gains) + 1
