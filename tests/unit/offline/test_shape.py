"""A shape is read from JSON or a file of it; what is none is refused in words."""

from pathlib import Path

import pytest

from offline.shape import BadShape, Shape, read_shape

TEXT = '{"loss": "absolute_error", "leaves": 15, "trees": 80}'


def test_a_shape_is_read_from_json_and_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "shape.json"
    path.write_text(TEXT, "utf-8")

    assert read_shape(TEXT) == read_shape(str(path)) == Shape("absolute_error", 15, 80)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("none.json", "none.json: .*No such file"),
        ('{"loss": "huber", "leaves": 15}', "huber"),
        ('{"loss": "absolute_error", "leaves": 1}', "leaves"),
        ('{"loss": "absolute_error", "leaves": 15, "depth": 3}', "depth"),
        ('{"loss": "absolute_error"}', "leaves"),
        ('{"loss"', "truncated"),
    ],
    ids=["no file", "loss", "leaves", "unknown field", "missing field", "no JSON"],
)
def test_what_is_no_shape_is_named(given: str, says: str) -> None:
    with pytest.raises(BadShape, match=says):
        read_shape(given)
