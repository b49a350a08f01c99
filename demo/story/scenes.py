"""What is told of each market: which days, and what is planted into them. Data.

Dates are event time (UTC). The older part trains the champion; what is quiet comes next, then
what is planted. Planted by the producers' scenario simulator: real sales, dearer or in
another unit from a day on.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum, auto

import msgspec
from msgspec import Struct

from stream_app.contract.events import AnyEvent

PUBLISHERS = ("agency-a", "agency-b", "agency-c")
SQUARE_FEET = 10.7639  # in a square metre


class Variant(StrEnum):
    """What happens to the market."""

    PRICE_SHOCK = "price-shock"
    UNIT_ERROR = "unit-error"
    NONE = auto()  # nothing: whatever is alarmed then is false


class Plant(Struct, frozen=True, omit_defaults=True):
    """As the producers' scenario file has it; whom it concerns is to be read from the event."""

    kind: str
    factor: float
    from_: str = msgspec.field(name="from")
    region: str | None = None
    publisher: str | None = None
    field: str | None = None

    def concerns(self, event: AnyEvent) -> bool:
        """Whether it changes this event, or could."""
        return (
            event.event_time_ms >= day_ms(self.from_)
            and self.region in (None, event.region)
            and self.publisher in (None, event.source)
        )


class Scene(Struct, frozen=True, kw_only=True):
    """One variant of one market."""

    variant: Variant
    market: str
    files: tuple[str, ...]
    trained_to: str  # the champion knows what was sold before
    planted: tuple[Plant, ...] = ()
    end: str
    times_real: int  # speed of the replay
    whole: bool = True  # False: too short for a retraining to help

    @property
    def shock_ms(self) -> int | None:
        """When what is planted begins; None: nothing is."""
        return day_ms(self.planted[0].from_) if self.planted else None

    @property
    def publisher(self) -> str | None:
        """Whose fault it is."""
        return next((plant.publisher for plant in self.planted), None)

    def concerns(self, event: AnyEvent) -> bool:
        """Whether something was planted into this event."""
        return any(plant.concerns(event) for plant in self.planted)


def day_ms(day: str) -> int:
    """The first moment of a day (UTC).

    >>> day_ms("2014-09-15")
    1410739200000
    """
    return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * 1000


def scenario(scene: Scene) -> str:
    """The file that `producers replay --scenario` takes."""
    lines = [f"publishers = {list(PUBLISHERS)}".replace("'", '"')]
    for plant in scene.planted:
        lines += ["", "[[plant]]"]
        lines += [
            f"{name} = {msgspec.json.encode(value).decode()}"
            for name, value in msgspec.to_builtins(plant).items()
        ]
    return "\n".join([*lines, ""])


_KING_COUNTY = ("data/king_county.csv.gz",)
# Eight of the seventy regions, a seventh of the sales.
_DEARER = tuple(f"kc-{code}" for code in (98103, 98038, 98115, 98052, 98117, 98042, 98034, 98118))


def _dearer(since: str) -> tuple[Plant, ...]:
    return tuple(Plant("price_shock", 1.6, since, region=region) for region in _DEARER)


def _in_square_feet(since: str) -> tuple[Plant, ...]:
    return (Plant("unit_error", SQUARE_FEET, since, publisher="agency-b", field="area_m2"),)


def _scene(variant: Variant, planted: tuple[Plant, ...], end: str, whole: bool = True) -> Scene:
    """Three months to learn from, some weeks in which nothing happens, and what is planted."""
    return Scene(
        variant=variant,
        market="king-county",
        files=_KING_COUNTY,
        trained_to="2014-08-15",
        planted=planted,
        end=end,
        times_real=200_000,
        whole=whole,
    )


def _by_name(*scenes: Scene) -> Mapping[tuple[str, Variant], Scene]:
    return {(scene.market, scene.variant): scene for scene in scenes}


WHOLE = _by_name(
    _scene(Variant.PRICE_SHOCK, _dearer("2014-09-15"), "2015-05-15"),
    _scene(Variant.UNIT_ERROR, _in_square_feet("2014-09-08"), "2014-09-22"),
    _scene(Variant.NONE, (), "2014-09-22"),
)
# Enough to notice, and to decide.
QUICK = _by_name(
    _scene(Variant.PRICE_SHOCK, _dearer("2014-09-08"), "2014-09-19", whole=False),
    _scene(Variant.UNIT_ERROR, _in_square_feet("2014-08-25"), "2014-09-02", whole=False),
    _scene(Variant.NONE, (), "2014-09-08", whole=False),
)
