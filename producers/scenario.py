"""What is planted into a history: a file of plants, checked when it is read. No effect yet.

    publishers = ["agency-a", "agency-b", "agency-c"]   # listings are dealt to them

    [[plant]]
    kind = "unit_error"
    field = "area_m2"
    factor = 10.7639        # square feet
    from = "2014-11-01"
    publisher = "agency-b"

Every plant has `from` and may have `to` (days, UTC), `region`, `publisher`, and `share` of
the events that it concerns (1 by default). What the kinds do: planting.py.
"""

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from stream_app.contract.events import EVENT_TYPES, Event, Label

FIELDS = {f.name for event_type in EVENT_TYPES for f in msgspec.structs.fields(event_type)}
# Who and when an event is stays as it is, or the truth could not say which events it means.
PLANTABLE = FIELDS - {f.name for f in msgspec.structs.fields(Event)}

Factor = Annotated[float, Meta(gt=0, le=1e6)]
Hours = Annotated[float, Meta(ge=-24 * 400, le=24 * 400)]


class BadScenario(ValueError):
    """The file is no scenario; the message names the place."""


class Plant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Whom it concerns: event time, region as published, publisher; and a share of these."""

    from_: date = field(name="from")
    to: date | None = None
    region: Label | None = None
    publisher: Label | None = None
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0

    @property
    def from_ms(self) -> int:
        return _day_ms(self.from_)

    @property
    def to_ms(self) -> int | None:
        return None if self.to is None else _day_ms(self.to)


class PriceShock(Plant, frozen=True, kw_only=True, tag="price_shock"):
    """All prices times `factor`, at once."""

    factor: Factor


class Trend(Plant, frozen=True, kw_only=True, tag="trend"):
    """Prices grow by the share `per_year` each year, from nothing at `from`."""

    per_year: Annotated[float, Meta(gt=-1, le=10)]


class Season(Plant, frozen=True, kw_only=True, tag="season"):
    """Prices swing by the share `amplitude` up and down in a year, upwards from `from` on."""

    amplitude: Annotated[float, Meta(gt=0, lt=1)]


class _OfField(Plant, frozen=True, kw_only=True):
    field: str


class UnitError(_OfField, frozen=True, kw_only=True, tag="unit_error"):
    """A number in another unit: `field` times `factor`."""

    factor: Factor


class Nulls(_OfField, frozen=True, kw_only=True, tag="nulls"):
    """`field` is null."""


class Rename(_OfField, frozen=True, kw_only=True, tag="rename"):
    """`field` is sent under the name `to_name`."""

    to_name: Label


class DeadFeature(_OfField, frozen=True, kw_only=True, tag="dead_feature"):
    """`field` has always the same `value`."""

    value: float | int | str


class NewCategory(_OfField, frozen=True, kw_only=True, tag="new_category"):
    """`field` is a text that was never there."""

    value: Label


class Duplicates(Plant, frozen=True, kw_only=True, tag="duplicates"):
    """The same bytes are sent again, `after_h` hours later."""

    after_h: Annotated[float, Meta(ge=0, le=24 * 400)] = 1.0


class Lateness(Plant, frozen=True, kw_only=True, tag="lateness"):
    """Sent `hours` after it happened, the event time as it was."""

    hours: Annotated[float, Meta(gt=0, le=24 * 400)]


class ClockSkew(Plant, frozen=True, kw_only=True, tag="clock_skew"):
    """The publisher's clock is `hours` ahead, or behind when negative."""

    hours: Hours


AnyPlant = (
    PriceShock
    | Trend
    | Season
    | UnitError
    | Nulls
    | Rename
    | DeadFeature
    | NewCategory
    | Duplicates
    | Lateness
    | ClockSkew
)


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """Plants act in their order, each on what the ones before have made."""

    plant: tuple[AnyPlant, ...] = ()
    publishers: tuple[Label, ...] = ()  # none: the source's own


def read(path: Path) -> Scenario:
    """Read a scenario.

    Raises
    ------
    BadScenario : no TOML, or something in it cannot be
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        scenario = msgspec.convert(content, Scenario)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadScenario(f"{path}: {error}") from None
    for number, plant in enumerate(scenario.plant):
        mistake = _mistake(plant, scenario)
        if mistake is not None:
            raise BadScenario(f"{path}: plant {number + 1} ({kind_of(plant)}): {mistake}")
    return scenario


def kind_of(plant: Plant) -> str:
    """Tell the plant's `kind` as it stands in the file.

    >>> kind_of(PriceShock(from_=date(2014, 10, 1), factor=1.1))
    'price_shock'
    """
    return str(type(plant).__struct_config__.tag)


def _mistake(plant: AnyPlant, scenario: Scenario) -> str | None:
    if plant.to is not None and plant.to <= plant.from_:
        return f"to = {plant.to}: must be after from = {plant.from_}"
    if isinstance(plant, _OfField) and plant.field not in PLANTABLE:
        return f"field = {plant.field!r}: one of {', '.join(sorted(PLANTABLE))} is wanted"
    if scenario.publishers and plant.publisher not in (None, *scenario.publishers):
        return f"publisher = {plant.publisher!r}: one of {', '.join(scenario.publishers)} is wanted"
    return None


def _day_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
