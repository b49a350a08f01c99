"""A prediction and its rebuilding, in words. No I/O.

Not here: where both come from (explain.py).
"""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from stream_app.contract import wire
from stream_app.contract.counts import counted
from stream_app.contract.models import Activated
from stream_app.contract.predictions import Prediction
from stream_app.core.features import FEATURE_SET, FEATURES


class Difference(NamedTuple):
    """The first thing in which the record is not what the log gives."""

    field: str
    recorded: object
    rebuilt: object


class Explanation(NamedTuple):
    """A record of `predictions` or `shadow`, and what the log gives in its place."""

    topic: str  # full name, where the record was found
    offset: int
    recorded: bytes
    rebuilt: bytes | None  # None: the log gives no such prediction
    replayed: int  # events, from the start of the partition
    activations: Sequence[Activated]  # what served its market when it was made

    @property
    def same(self) -> bool:
        """Whether the log gives the record to the bit."""
        return self.rebuilt == self.recorded


def difference(explanation: Explanation) -> Difference | None:
    """The first field that differs, in the order of the record; None where only its form does."""
    rebuilt = explanation.rebuilt
    if rebuilt is None:
        return Difference("prediction_id", _read(explanation.recorded).prediction_id, None)
    mine, theirs = (msgspec.to_builtins(_read(value)) for value in (explanation.recorded, rebuilt))
    return next(_differences("", mine, theirs), None)


def _read(value: bytes) -> Prediction:
    return wire.decode_prediction(value)


def _differences(place: str, recorded: object, rebuilt: object) -> Iterator[Difference]:
    if isinstance(recorded, dict) and isinstance(rebuilt, dict):
        for name in recorded:
            yield from _differences(f"{place}.{name}".lstrip("."), recorded[name], rebuilt[name])
    elif place == "features" and isinstance(recorded, Sequence) and isinstance(rebuilt, Sequence):
        pairs = zip(FEATURES, recorded, rebuilt, strict=False)
        yield from (
            Difference(f"features.{feature.name}", one, other)
            for feature, one, other in pairs
            if one != other
        )
    elif recorded != rebuilt:
        yield Difference(place, recorded, rebuilt)


def as_json(explanation: Explanation) -> str:
    """All of it as one JSON object."""
    said = _read(explanation.recorded)
    found = difference(explanation) if not explanation.same else None
    return msgspec.json.encode(
        {
            "topic": explanation.topic,
            "offset": explanation.offset,
            "prediction": said,
            "features": [
                {"name": feature.name, "unit": feature.unit, "value": value}
                for feature, value in zip(FEATURES, said.features, strict=False)
            ],
            "activations": explanation.activations,
            "events_replayed": explanation.replayed,
            "rebuilt_bit_for_bit": explanation.same,
            "first_difference": None if found is None else found._asdict(),
        }
    ).decode()


def lines(explanation: Explanation) -> Iterator[str]:
    """All of it for a person to read."""
    said = _read(explanation.recorded)
    yield f"prediction {said.prediction_id} of {explanation.topic}, offset {explanation.offset}"
    yield f"  listing   {said.listing_id}, revision {said.revision}, event {said.event_id}"
    yield (
        f"  from      {said.market}, region {said.region}, {_day(said.event_time_ms)}; "
        f"events partition {said.source_partition}, offset {said.source_offset}"
    )
    yield f"  price     {_price(said)}"
    yield f"  answered  {said.step}, arm {said.arm}; {_quality(said)}"
    if said.supersedes is not None:
        yield from _moved(said)
    yield from _made_of(said)
    yield "reasons, against the region's typical home"
    yield from [
        f"  {percent(reason.effect_log):>8}  {reason.group}" for reason in said.reasons
    ] or ["  none: no model answered, or too few homes of the region were known"]
    yield f"versions: champion {said.versions.champion}, corrector {said.versions.corrector}"
    for activated in explanation.activations:
        yield (
            f"  from offset {activated.from_offset}: champion {activated.champion}, "
            f"corrector {activated.corrector}, previous {activated.previous}, "
            f"challenger {activated.challenger} ({activated.mode})"
        )
    yield f"features, set {said.versions.feature_set}"
    for feature, value in zip(FEATURES, said.features, strict=False):
        yield f"  {feature.name:28} {_number(value):>16}  {feature.unit}"
    yield from _verdict(explanation, said)


def percent(effect_log: float) -> str:
    """A change of log price as a change of price.

    >>> percent(0.1), percent(-0.1)
    ('+10.5 %', '-9.5 %')
    """
    return f"{math.expm1(effect_log) * 100:+.1f} %"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).isoformat(timespec="seconds")


def _price(said: Prediction) -> str:
    if said.price is None:
        return "none"
    if said.price_low is None or said.price_high is None:
        return f"{said.price:,.0f} {said.currency}, no interval"
    return (
        f"{said.price:,.0f} {said.currency}, "
        f"90 % between {said.price_low:,.0f} and {said.price_high:,.0f}"
    )


def _quality(said: Prediction) -> str:
    reasons = ", ".join(said.quality_reasons)
    return f"quality {said.quality}" + (f": {reasons}" if reasons else "")


def _moved(said: Prediction) -> Iterator[str]:
    moved = "" if said.moved_log is None else f", price {percent(said.moved_log)}"
    yield f"  instead of {said.supersedes}{moved}; what changed:"
    for change in said.changed:
        versions = f" {change.before} -> {change.after}" if change.before != change.after else ""
        yield f"    {change.what}{versions} {', '.join(change.features)}".rstrip()


def _made_of(said: Prediction) -> Iterator[str]:
    parts = said.components
    yield "made of, in log price"
    yield f"  {_number(parts.naive_log):>12}  regional median times area"
    yield f"  {_number(parts.champion_log):>12}  the model"
    yield f"  {parts.market_correction:>+12.6f}  correction of the market"
    yield f"  {parts.region_correction:>+12.6f}  correction of the region"
    yield f"  {parts.guard_weight:>12.2f}  share of both that counts"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.6g}"


def _verdict(explanation: Explanation, said: Prediction) -> Iterator[str]:
    replayed = f"{counted(explanation.replayed, 'event')} replayed"
    if explanation.same:
        yield f"rebuilt bit for bit: yes ({replayed})"
        return
    yield f"rebuilt bit for bit: no ({replayed})"
    if explanation.rebuilt is None:
        yield "  the log gives no such prediction"
        return
    if said.versions.feature_set != FEATURE_SET:
        yield (
            f"  it was made with feature set {said.versions.feature_set}, this program has "
            f"{FEATURE_SET}: explain it with the program of that time"
        )
    found = difference(explanation)
    if found is None:
        yield "  the values are the same, only the form of the record differs"
    else:
        yield f"  first difference: {found.field}"
        yield f"    recorded {found.recorded!r}"
        yield f"    rebuilt  {found.rebuilt!r}"
