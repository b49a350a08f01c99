"""The one file of alert thresholds: text to checked values. The reasons stand in alerting.toml."""

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from stream_app.contract.settings import BadSettings

SHIPPED = "alerting.toml"

Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(gt=0, lt=1)]


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Thresholds; shares are of 1."""

    finding_gone_h: Positive
    finding_cooldown_h: Positive
    condition_gone_min: Positive
    condition_cooldown_min: Positive
    event_quiet_h: Positive
    critical_level_log: Positive
    critical_error_factor: Annotated[float, Meta(gt=1)]
    critical_factor: Annotated[float, Meta(gt=1)]
    window_s: Positive
    records_min: Count
    latency_mean_max_s: Positive
    latency_p95_max_s: Positive
    refused_share_max: Share
    lag_max_s: Positive
    stale_after_s: Positive
    unreachable_after_s: Positive
    fields_newest: Count
    fields_read: Count
    fields_usual: Count
    fields_events_min: Count
    key_nulls_max: Share
    field_usual_min: Share
    field_rare_max: Share
    key_fields: tuple[str, ...]


@cache
def shipped() -> Limits:
    """What holds."""
    return read(resources.files("monitoring.alerting").joinpath(SHIPPED).read_text("utf-8"))


def read(text: str) -> Limits:
    """Check every value.

    Raises
    ------
    BadSettings : no TOML, or a threshold is missing, unknown, or outside its limits
    """
    try:
        return msgspec.convert(tomllib.loads(text), Limits)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadSettings(f"{SHIPPED}: {error}") from None
