"""What is told of each market: which days, and what is planted into them. Data.

Dates are event time (UTC). The older part trains the champion; what is quiet comes next, then
what is planted. Planted by the producers' scenario simulator: real sales, dearer or in
another unit from a day on.
"""

from collections.abc import Mapping
from enum import StrEnum, auto

import msgspec
from msgspec import Struct

PUBLISHERS = ("agency-a", "agency-b", "agency-c")
SQUARE_FEET = 10.7639  # in a square metre


class Variant(StrEnum):
    """What happens to the market."""

    PRICE_SHOCK = "price-shock"
    UNIT_ERROR = "unit-error"
    NONE = auto()  # nothing: whatever is alarmed then is false


class Plant(Struct, frozen=True, omit_defaults=True):
    """As the producers' scenario file has it."""

    kind: str
    factor: float
    from_: str = msgspec.field(name="from")
    region: str | None = None
    publisher: str | None = None
    field: str | None = None


class Scene(Struct, frozen=True):
    """One variant of one market."""

    variant: Variant
    market: str
    files: tuple[str, ...]
    trained_to: str  # the champion knows what was sold before
    planted: tuple[Plant, ...]
    shock_day: str | None  # None: nothing is planted
    end: str
    times_real: int  # speed of the replay

    @property
    def publisher(self) -> str | None:
        """Whose fault it is."""
        return next((plant.publisher for plant in self.planted), None)


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
# Eight of the seventy regions, a fifth of the sales.
_DEARER = tuple(f"kc-{code}" for code in (98103, 98038, 98115, 98052, 98117, 98042, 98034, 98118))
_SHOCK = "2014-09-15"


def _king_county(variant: Variant, planted: tuple[Plant, ...], end: str) -> Scene:
    return Scene(
        variant=variant,
        market="king-county",
        files=_KING_COUNTY,
        trained_to="2014-08-15",
        planted=planted,
        shock_day=_SHOCK if planted else None,
        end=end,
        times_real=200_000,
    )


SCENES: Mapping[tuple[str, Variant], Scene] = {
    (scene.market, scene.variant): scene
    for scene in (
        _king_county(
            Variant.PRICE_SHOCK,
            tuple(Plant("price_shock", 1.6, _SHOCK, region=region) for region in _DEARER),
            "2015-05-15",
        ),
        _king_county(
            Variant.UNIT_ERROR,
            (Plant("unit_error", SQUARE_FEET, _SHOCK, publisher="agency-b", field="area_m2"),),
            "2014-10-06",
        ),
        _king_county(Variant.NONE, (), "2014-10-06"),
    )
}
