"""The one criteria file of the policy: text to checked thresholds. The reasons stand in policy.toml."""

import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from stream_app.contract.ids import fingerprint
from stream_app.contract.settings import BadSettings

SHIPPED = "policy.toml"

Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class Criteria(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Thresholds; shares are of 1."""

    error_rise_max: Positive
    error_rise_errors: Positive
    features_min: Count
    feature_effect_min: Positive
    features_chance_max: Annotated[float, Meta(gt=0, lt=0.5)]
    labels_new: Count
    schedule_weekday: Annotated[int, Meta(ge=0, le=6, description="0 is Monday")]
    schedule_hour: Annotated[int, Meta(ge=0, le=23)]
    finding_labels_min: Count
    cooldown_h: Positive
    budget_30d: Count
    bad_data_days: Positive
    saving_min: Positive
    preflight_labels_min: Count
    preflight_blocks_min: Annotated[int, Meta(ge=2)]
    preflight_age_h: Positive
    preflight_wait_h: Positive
    probation_labels_min: Count
    probation_labels: Count
    probation_days_max: Positive
    probation_miss_max: Positive
    ab_effect: Annotated[float, Meta(gt=0, lt=1)]
    ab_mature_days: Positive
    ab_chance_max: Annotated[float, Meta(gt=0, lt=0.5)]
    ab_deal_chance_max: Annotated[float, Meta(gt=0, lt=0.5)]

    def fingerprint(self) -> str:
        """Equal thresholds have equal ones, whichever file they come from."""
        return fingerprint(msgspec.json.encode(self).decode())


@cache
def shipped() -> Criteria:
    """What holds where nobody names another file."""
    return read(resources.files("monitoring").joinpath(SHIPPED).read_text("utf-8"), SHIPPED)


def chosen(policy_file: str) -> Criteria:
    """Those of the file that the setting names; as shipped where it names none."""
    return of_file(Path(policy_file)) if policy_file else shipped()


def of_file(path: Path) -> Criteria:
    """The criteria of a file.

    Raises
    ------
    BadSettings : it cannot be read, or a criterion is missing, unknown, or outside its limits
    """
    try:
        return read(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"criteria file {path}: {error}") from None


def read(text: str, place: str) -> Criteria:
    """Check every value.

    Raises
    ------
    BadSettings : no TOML, or a criterion is missing, unknown, or outside its limits
    """
    try:
        return msgspec.convert(tomllib.loads(text), Criteria)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadSettings(f"criteria file {place}: {error}") from None
