"""The gate's criteria are one file, and a mistake in it is told before anything is judged."""

from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest

from offline import criteria
from offline.criteria import BadCriteria

TEXT = resources.files("offline").joinpath(criteria.SHIPPED).read_text("utf-8")


def test_the_shipped_file_is_read() -> None:
    assert criteria.shipped().p_max == 0.05
    assert criteria.shipped() == criteria.read(TEXT, "here")


def test_every_threshold_has_its_reason() -> None:
    for before, line in pairwise(TEXT.splitlines()):
        assert before.startswith("#") or not line or line.startswith("#"), line


def test_all_mistakes_are_told_at_once() -> None:
    wrong = TEXT.replace("p_max = 0.05", "p_max = 5").replace("seed = 0", "sede = 0")

    with pytest.raises(BadCriteria) as told:
        criteria.read(wrong, "mine.toml")

    assert str(told.value).splitlines() == [
        "criteria file mine.toml:",
        "seed: missing",
        "p_max: 5: Expected `float` < 0.5",
        "sede: no such criterion",
    ]


@pytest.mark.parametrize(
    ("line", "nonsense"),
    [
        ("coverage_min = 0.88", "coverage_min = 0.95"),
        ("coverage_max = 0.92", "coverage_max = 0.85"),
        ("segment_loss_max = 0.05", "segment_loss_max = nan"),
        ("bundle_mb_max = 16.0", "bundle_mb_max = inf"),
        ("block_days = 7", 'block_days = "week"'),
        ("block_days = 7", "block_days = 0.5"),
        ("homes_min = 500", "homes_min = true"),
        ("resamples = 4000", "[resamples]\nn = 4000"),
    ],
)
def test_nonsense_is_refused(line: str, nonsense: str) -> None:
    assert line in TEXT

    with pytest.raises(BadCriteria, match=line.split(" ", maxsplit=1)[0]):
        criteria.read(TEXT.replace(line, nonsense), "mine.toml")


def test_what_is_no_toml_is_refused() -> None:
    with pytest.raises(BadCriteria, match=r"mine\.toml: .*line 1"):
        criteria.read("p_max 0.05", "mine.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCriteria, match=r"none\.toml: .*No such file"):
        criteria.of_file(tmp_path / "none.toml")
