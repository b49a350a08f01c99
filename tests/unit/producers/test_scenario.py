"""A scenario's file is checked when it is read; what is wrong is named with its place."""

import json
from pathlib import Path

import pytest

from producers.__main__ import main
from producers.scenario import BadScenario, PriceShock, read
from tests.unit.producers.raw_rows import KING_COUNTY, csv_text

SHOCK = """
publishers = ["agency-a", "agency-b"]
[[plant]]
kind = "price_shock"
factor = 1.1
from = 2014-10-01
publisher = "agency-b"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "shock.toml"
    path.write_text(text)
    return path


def test_a_plant_is_read(tmp_path: Path) -> None:
    (plant,) = read(written(tmp_path, SHOCK)).plant

    assert isinstance(plant, PriceShock)
    assert (plant.factor, plant.publisher, plant.from_.isoformat()) == (
        1.1,
        "agency-b",
        "2014-10-01",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('"price_shock"', '"price_jump"'), "Invalid value 'price_jump' - at `$.plant[0].kind`"),
        (("factor = 1.1", "factor = -1"), "Expected `float` > 0.0 - at `$.plant[0].factor`"),
        (("factor = 1.1", ""), "missing required field `factor`"),
        (("factor", "faktor"), "unknown field `faktor`"),
        (('"agency-b"\n', '"agency-x"\n'), "plant 1 (price_shock): publisher = 'agency-x'"),
        (("factor = 1.1", 'factor = 1.1\nto = "2014-10-01"'), "must be after from = 2014-10-01"),
        (("[[plant]]", "[[plant"), "Expected ']]'"),
        (
            ('kind = "price_shock"', 'kind = "unit_error"\nfield = "aera_m2"'),
            "field = 'aera_m2': one of",
        ),
        (
            ('kind = "price_shock"', 'kind = "unit_error"\nfield = "listing_id"'),
            "field = 'listing_id': one of",
        ),
    ],
    ids=["kind", "range", "missing", "unknown", "publisher", "to", "no toml", "field", "identity"],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    path = written(tmp_path, SHOCK.replace(*change))

    with pytest.raises(BadScenario) as caught:
        read(path)

    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_convert_plants_and_writes_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sales.csv").write_text(csv_text({**KING_COUNTY, "date": "20141013T000000"}))
    scenario = written(tmp_path, SHOCK.replace('publisher = "agency-b"\n', ""))
    source = ["convert", "--source", "king-county", "--file", "sales.csv", "--out", "e.jsonl"]

    assert main([*source, "--scenario", str(scenario), "--truth", "truth.json", "--json"]) == 0

    (truth,) = json.loads((tmp_path / "truth.json").read_text())
    assert (truth["kind"], truth["events"], truth["plant"]["factor"]) == ("price_shock", 1, 1.1)
    assert "planted: kind=price_shock, from=2014-10-01, share=1.0, factor=1.1: 1 event changed" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scenario", "nowhere.toml"], "nowhere.toml"),
        (["--truth", "t.json"], "--truth tells what --scenario planted: give both"),
    ],
    ids=["no file", "truth of nothing"],
)
def test_wrong_options_are_told(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", "--source", "king-county", *options]) == 2
    assert words in capsys.readouterr().err
