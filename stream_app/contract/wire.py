"""Bytes to values and back. Whatever the bytes, decoding an event does not raise.

The quick path is one typed decode. Only bytes that it refuses are looked at
again: to repair a number sent as text ("1,200"), or to say what is wrong.
"""

import re
import types
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec

from stream_app.contract.alerts import AnyAlertMessage
from stream_app.contract.archive import ArchiveManifest
from stream_app.contract.events import EVENT_TYPES, SCHEMA_VERSION, AnyEvent, Event, kind_of_type
from stream_app.contract.models import Activated, AnyModelMessage, Manifest
from stream_app.contract.predictions import Outcome, Prediction
from stream_app.contract.rejects import RejectCode, Rejected
from stream_app.contract.topics import EVENT_BYTES_MAX

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")
_events: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_predictions = msgspec.json.Decoder(Prediction)
_outcomes = msgspec.json.Decoder(Outcome)
_activations = msgspec.json.Decoder(Activated)
_model_messages: msgspec.json.Decoder[AnyModelMessage] = msgspec.json.Decoder(AnyModelMessage)
_alert_messages: msgspec.json.Decoder[AnyAlertMessage] = msgspec.json.Decoder(AnyAlertMessage)
_archive_manifests = msgspec.json.Decoder(ArchiveManifest)

_SHOWN_CHARS = 100
# Longer is no measurement; and no nesting, no other script's digits, no decimal comma.
_NUMBER_CHARS_MAX = 40
_NUMBER = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLACE = re.compile(r"at `\$\.(\w+)")


def encode(message: msgspec.Struct) -> bytes:
    """One JSON object, fields in their order and mappings sorted: equal values are equal bytes.

    NaN and infinity become null: JSON has neither.
    """
    return _encoder.encode(message)


class Decoded(NamedTuple):
    """A believable event may still break a rule; see rules.py."""

    event: AnyEvent
    repaired: tuple[str, ...]  # fields that came as text and are numbers now


def decode_event(raw: bytes) -> Decoded | Rejected:
    """Read one event. Never raises; the reject says what to mend."""
    if len(raw) > EVENT_BYTES_MAX:
        return Rejected(RejectCode.TOO_LARGE, f"{len(raw)} bytes, at most {EVENT_BYTES_MAX}", raw)
    try:
        return Decoded(_events.decode(raw), ())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _look_again(raw)


class _Signed(msgspec.Struct):
    source: str


def publisher_of(raw: bytes) -> str:
    """Who sent it, as far as the bytes tell; "unknown" when they do not.

    >>> publisher_of(b'{"source": "agency-7", "area_m2": -1}'), publisher_of(b"?")
    ('agency-7', 'unknown')
    """
    try:
        return msgspec.json.decode(raw, type=_Signed).source
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "unknown"


def decode_prediction(raw: bytes) -> Prediction:
    """Read a record of `predictions`. Raises msgspec.MsgspecError on anything else."""
    return _strictly(_predictions, raw)


def decode_outcome(raw: bytes) -> Outcome:
    """Read a record of `outcomes`. Raises msgspec.MsgspecError on anything else."""
    return _strictly(_outcomes, raw)


def decode_activated(raw: bytes) -> Activated:
    """Read a record of `activations`. Raises msgspec.MsgspecError on anything else."""
    return _strictly(_activations, raw)


def decode_model_message(raw: bytes) -> AnyModelMessage:
    """Read a record of `models`. Raises msgspec.MsgspecError on anything else."""
    return _strictly(_model_messages, raw)


def decode_alert_message(raw: bytes) -> AnyAlertMessage:
    """Read a record of `alerts`. Raises msgspec.MsgspecError on anything else."""
    return _strictly(_alert_messages, raw)


def decode_archive_manifest(raw: bytes) -> ArchiveManifest:
    """Read a manifest of the archive. Raises msgspec.MsgspecError on anything else."""
    return _strictly(_archive_manifests, raw)


def _strictly(decoder: msgspec.json.Decoder[T], raw: bytes) -> T:
    """Decode our own message; whatever is wrong with it comes as one kind of error."""
    try:
        return decoder.decode(raw)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(f"{len(raw)} bytes: {error}") from error


def manifest_bytes(manifest: Manifest) -> bytes:
    """What the signature of a champion signs."""
    return encode(manifest)


def _look_again(raw: bytes) -> Decoded | Rejected:
    try:
        fields = msgspec.json.decode(raw)
    except RecursionError:
        return Rejected(RejectCode.NOT_JSON, "nested too deeply", raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Rejected(RejectCode.NOT_JSON, str(error), raw)
    if not isinstance(fields, dict):
        return Rejected(RejectCode.SCHEMA, f"a JSON object is wanted, got {raw[:20]!r}", raw)
    version = fields.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        return Rejected(
            RejectCode.SCHEMA_VERSION,
            f"schema_version={_shown(version)}, known: {SCHEMA_VERSION}",
            raw,
        )
    kind = fields.get("kind")
    event_type = _BY_KIND.get(kind) if isinstance(kind, str) else None
    if event_type is None:
        return Rejected(RejectCode.KIND, f"kind={_shown(kind)}, known: {', '.join(_BY_KIND)}", raw)
    known = _FIELDS[event_type]
    unknown = sorted(set(fields) - known.all - {"kind"})
    if unknown:
        names = _shortened(", ".join(unknown))
        return Rejected(RejectCode.UNKNOWN_FIELD, f"{names}: not a field of {kind!r}", raw)
    repaired = {
        name: number
        for name in sorted(known.numbers & set(fields))
        if (number := _number(fields[name], name in known.whole)) is not None
    }
    try:
        event = msgspec.convert(fields | repaired, AnyEvent)
    except msgspec.ValidationError as error:
        return Rejected(RejectCode.SCHEMA, _with_value(str(error), fields), raw)
    return Decoded(event, tuple(repaired))


def _with_value(error: str, fields: Mapping[str, object]) -> str:
    """Add the value to msgspec's message, which names only its place.

    >>> _with_value("Expected `float`, got `str` - at `$.area_m2`", {"area_m2": "big"})
    "area_m2='big': Expected `float`, got `str` - at `$.area_m2`"
    """
    place = _PLACE.search(error)
    name = str(place[1]) if place else ""
    return error if name not in fields else f"{name}={_shown(fields[name])}: {error}"


def _shown(value: object) -> str:
    return _shortened(repr(value))


def _shortened(text: str) -> str:
    """Cut what goes into a detail: a reject must not be larger than what it refuses.

    >>> _shortened("a" * 200) == "a" * 100 + "..."
    True
    """
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "..."


def _number(value: object, whole: bool) -> int | float | None:
    """Read a number sent otherwise; None if it is none, or needs no repair.

    Text may part thousands by commas. Where a `whole` number is wanted, 3.0 is 3: a
    table with gaps turns its whole numbers into such.

    >>> _number("1,200", True), _number(" 85.5 ", False), _number("1,20", True), _number(7, True)
    (1200, 85.5, None, None)
    >>> _number("3.0", True), _number(3.0, True), _number(3.5, True), _number(3.0, False)
    (3, 3, None, None)
    """
    number = _from_text(value) if isinstance(value, str) else value
    if whole and isinstance(number, float) and number.is_integer():
        return int(number)
    return number if isinstance(number, int | float) and isinstance(value, str) else None


def _from_text(value: str) -> int | float | None:
    text = value.strip()
    if len(text) > _NUMBER_CHARS_MAX or not _NUMBER.fullmatch(text):
        return None
    try:
        return msgspec.json.decode(text.replace(",", ""), type=int | float)
    except msgspec.MsgspecError:
        return None  # leading zeros, or beyond the largest float


def _takes(annotation: Any, kind: type) -> bool:  # noqa: ANN401 - a type annotation has no type
    origin = get_origin(annotation)
    if origin is Annotated:
        return _takes(get_args(annotation)[0], kind)
    if origin in (Union, types.UnionType):
        return any(_takes(part, kind) for part in get_args(annotation))
    return annotation is kind


class _Fields(NamedTuple):
    """The fields of one kind of event, by name."""

    all: frozenset[str]
    whole: frozenset[str]  # take whole numbers only
    numbers: frozenset[str]  # take numbers


def _fields_of(event_type: type[Event]) -> _Fields:
    fields = msgspec.structs.fields(event_type)
    whole = frozenset(f.name for f in fields if _takes(f.type, int))
    broken = frozenset(f.name for f in fields if _takes(f.type, float))
    return _Fields(frozenset(f.name for f in fields), whole - broken, whole | broken)


_BY_KIND: dict[str, type[Event]] = {kind_of_type(t): t for t in EVENT_TYPES}
_FIELDS: dict[type[Event], _Fields] = {t: _fields_of(t) for t in EVENT_TYPES}
