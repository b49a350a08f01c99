"""The one criteria file of the gate: text to checked thresholds. The reasons stand in gate.toml.

Not here: what is judged by them (gate.py, coverage.py).
"""

import math
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from offline.faults import WrongInput
from stream_app.scoring.interval import COVERAGE

SHIPPED = "gate.toml"


class BadCriteria(WrongInput):
    """Every mistake in a criteria file, one per line."""


class Criteria(Struct, frozen=True, kw_only=True):
    """Thresholds; shares are of 1."""

    gain_min: Annotated[float, Meta(ge=0, lt=1)]
    p_max: Annotated[float, Meta(gt=0, lt=0.5)]
    block_days: Annotated[int, Meta(ge=1, le=92)]
    blocks_min: Annotated[int, Meta(ge=2)]
    homes_min: Annotated[int, Meta(ge=1)]
    resamples: Annotated[int, Meta(ge=100, le=100_000)]
    seed: Annotated[int, Meta(ge=0, lt=2**32)]
    segment_rows_min: Annotated[int, Meta(ge=2)]
    segment_loss_max: Annotated[float, Meta(ge=0)]
    false_discoveries_max: Annotated[float, Meta(gt=0, lt=0.5)]
    coverage_min: Annotated[float, Meta(ge=0, lt=COVERAGE)]
    coverage_max: Annotated[float, Meta(gt=COVERAGE, le=1)]
    coverage_segment_rows: Annotated[int, Meta(ge=1)]
    coverage_segment_min: Annotated[float, Meta(ge=0, lt=COVERAGE)]
    coverage_segment_max: Annotated[float, Meta(gt=COVERAGE, le=1)]
    slower_max: Annotated[float, Meta(ge=1)]
    bundle_mb_max: Annotated[float, Meta(gt=0)]


@cache
def shipped() -> Criteria:
    """What holds where nobody names another file."""
    return read(resources.files("offline").joinpath(SHIPPED).read_text("utf-8"), SHIPPED)


def of_file(path: Path) -> Criteria:
    """The criteria of a file.

    Raises
    ------
    BadCriteria : it cannot be read, or holds a mistake
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadCriteria(f"criteria file {path}: {error}") from None
    return read(text, str(path))


def read(text: str, place: str) -> Criteria:
    """Check every value; name all mistakes at once.

    Raises
    ------
    BadCriteria : no TOML; a criterion is missing, unknown, or outside its limits
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadCriteria(f"criteria file {place}: {error}") from None
    mistakes = list(_mistakes(given))
    if mistakes:
        raise BadCriteria("\n".join([f"criteria file {place}:", *mistakes]))
    return msgspec.convert(given, Criteria)


def _mistakes(given: Mapping[str, object]) -> Iterator[str]:
    wanted = {field.name: field.type for field in msgspec.structs.fields(Criteria)}
    yield from (f"{name}: missing" for name in wanted if name not in given)
    for name, value in given.items():
        if name not in wanted:
            yield f"{name}: no such criterion"
        elif isinstance(value, float) and not math.isfinite(value):
            yield f"{name}: {value}: not a number that anything could reach"
        else:
            try:
                msgspec.convert(value, wanted[name])
            except msgspec.ValidationError as error:
                yield f"{name}: {value!r}: {error}"
