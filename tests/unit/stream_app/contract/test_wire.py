"""Bytes to events and back; whatever the bytes, the answer is an event or a reject."""

import json
from collections.abc import Callable

import msgspec
import pytest

from stream_app.contract import wire
from stream_app.contract.alerts import RequestStatus
from stream_app.contract.events import AnyEvent, Listing
from stream_app.contract.rejects import RejectCode, Rejected
from stream_app.contract.topics import EVENT_BYTES_MAX
from stream_app.contract.wire import Decoded
from tests import builders, messages

GOOD = json.loads(builders.raw(builders.listing()))


def changed(**fields: object) -> bytes:
    return json.dumps(GOOD | fields).encode()


def without(field: str) -> bytes:
    return json.dumps({name: value for name, value in GOOD.items() if name != field}).encode()


def refused(raw: bytes) -> Rejected:
    answer = wire.decode_event(raw)
    assert isinstance(answer, Rejected)
    assert answer.raw is raw
    return answer


def accepted(raw: bytes) -> Decoded:
    answer = wire.decode_event(raw)
    assert isinstance(answer, Decoded), answer
    return answer


@pytest.mark.parametrize(
    "event",
    [
        builders.listing(),
        builders.flat(),
        builders.sale(),
        builders.correction(),
        builders.withdrawal(),
        builders.erasure(),
    ],
    ids=["listing", "flat", "sale", "correction", "withdrawal", "erasure"],
)
def test_an_event_comes_back_as_it_was_sent(event: AnyEvent) -> None:
    assert wire.decode_event(wire.encode(event)) == Decoded(event, ())


HOSTILE: tuple[tuple[str, bytes, RejectCode], ...] = (
    ("nothing", b"", RejectCode.NOT_JSON),
    ("no UTF-8", b"\xff\xfe\x00", RejectCode.NOT_JSON),
    ("bad UTF-8 inside a text", changed(street="X").replace(b"X", b"\xc3("), RejectCode.NOT_JSON),
    ("UTF-16", json.dumps(GOOD).encode("utf-16"), RejectCode.NOT_JSON),
    ("a byte order mark", b"\xef\xbb\xbf" + changed(), RejectCode.NOT_JSON),
    ("a lone surrogate", changed(street="X").replace(b"X", b"\\ud800"), RejectCode.NOT_JSON),
    ("cut short", changed()[:-1], RejectCode.NOT_JSON),
    ("two values", changed() + changed(), RejectCode.NOT_JSON),
    ("a pickle", b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00N.", RejectCode.NOT_JSON),
    ("NaN", changed(area_m2=float("nan")), RejectCode.NOT_JSON),
    ("infinity", changed(area_m2=float("inf")), RejectCode.NOT_JSON),
    (
        "a number beyond floats",
        changed(area_m2=7).replace(b": 7,", b": 1e999,"),
        RejectCode.NOT_JSON,
    ),
    (
        "5,000 digits",
        changed(sequence=7).replace(b'"sequence": 7', b'"sequence": ' + b"9" * 5_000),
        RejectCode.NOT_JSON,
    ),
    ("nested deeply", b"[" * 100_000, RejectCode.NOT_JSON),
    (
        "nested deeply in an event",
        changed(model="X").replace(b'"X"', b"[" * 9_999 + b"]" * 9_999),
        RejectCode.NOT_JSON,
    ),
    ("nested deeply in a text", changed(area_m2="[" * 100_000), RejectCode.SCHEMA),
    ("10 MB", b" " * 10_000_000, RejectCode.TOO_LARGE),
    ("null", b"null", RejectCode.SCHEMA),
    ("a list of events", b"[" + changed() + b"]", RejectCode.SCHEMA),
    ("a text", b'"listing"', RejectCode.SCHEMA),
    ("an empty object", b"{}", RejectCode.KIND),
    ("a kind that is a list", changed(kind=["listing"]), RejectCode.KIND),
    ("an unknown kind", changed(kind="sold"), RejectCode.KIND),
    ("a newer version", changed(schema_version=2), RejectCode.SCHEMA_VERSION),
    ("a version as text", changed(schema_version="1"), RejectCode.SCHEMA_VERSION),
    ("a version that is true", changed(schema_version=True), RejectCode.SCHEMA),
    ("a personal field", changed(owner="A. Person"), RejectCode.UNKNOWN_FIELD),
    ("a renamed field", changed(area_sqft=1180), RejectCode.UNKNOWN_FIELD),
    ("a sale's field", changed(sale_price=1.0), RejectCode.UNKNOWN_FIELD),
    ("no area", without("area_m2"), RejectCode.SCHEMA),
    ("no id", without("event_id"), RejectCode.SCHEMA),
    ("an empty id", changed(event_id=""), RejectCode.SCHEMA),
    ("a long id", changed(listing_id="x" * 129), RejectCode.SCHEMA),
    ("a null that may not be", changed(area_m2=None), RejectCode.SCHEMA),
    ("half a bedroom", changed(bedrooms=2.5), RejectCode.SCHEMA),
    ("true bedrooms", changed(bedrooms=True), RejectCode.SCHEMA),
    ("a time before 1970", changed(event_time_ms=-1), RejectCode.SCHEMA),
    ("a time in nanoseconds", changed(event_time_ms=1_405_296_000_000_000_000), RejectCode.SCHEMA),
    ("a huge counter", changed(sequence=10**30), RejectCode.SCHEMA),
    ("a long trace", changed(trace_id="x" * 129), RejectCode.SCHEMA),
    ("many simulated fields", changed(simulated_fields=["a"] * 65), RejectCode.SCHEMA),
)


@pytest.mark.parametrize(
    ("raw", "code"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_hostile_bytes_are_refused_with_their_code(raw: bytes, code: RejectCode) -> None:
    assert refused(raw).code is code


def test_an_event_of_just_the_largest_size_is_read() -> None:
    raw = changed().ljust(EVENT_BYTES_MAX)

    assert isinstance(wire.decode_event(raw), Decoded)
    assert refused(raw + b" ") == Rejected(
        RejectCode.TOO_LARGE, "1000001 bytes, at most 1000000", raw + b" "
    )


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (
            changed(kind="sold"),
            "kind='sold', known: listing, sale, correction, withdrawal, erasure",
        ),
        (changed(schema_version=2), "schema_version=2, known: 1"),
        (changed(owner="A", phone="1"), "owner, phone: not a field of 'listing'"),
        (changed(area_m2="big"), "area_m2='big': Expected `float`, got `str` - at `$.area_m2`"),
        (without("area_m2"), "Object missing required field `area_m2`"),
        (b"[1]", "a JSON object is wanted, got b'[1]'"),
        (b"[" * 100_000, "nested too deeply"),
    ],
    ids=["kind", "version", "unknown", "value", "missing", "no object", "nesting"],
)
def test_a_reject_names_the_value_and_what_is_wanted(raw: bytes, detail: str) -> None:
    assert refused(raw).detail == detail


@pytest.mark.parametrize(
    "raw",
    [
        changed(kind="\x85" * 100_000),
        changed(schema_version="\x85" * 100_000),
        changed(**{"x" * 100_000: 1}),
        changed(area_m2="x" * 100_000),
        b'"' + b"x" * 100_000 + b'"',
    ],
    ids=["kind", "version", "unknown field", "value", "no object"],
)
def test_a_reject_says_little_even_of_a_large_event(raw: bytes) -> None:
    assert len(refused(raw).detail) < 250


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,200", 1_200.0), (" 85.5 ", 85.5), ("1,234.5", 1_234.5), ("9e1", 90.0), ("120", 120.0)],
)
def test_a_number_sent_as_text_is_repaired_and_told(text: str, number: float) -> None:
    decoded = accepted(changed(area_m2=text))

    assert isinstance(decoded.event, Listing)
    assert decoded.event.area_m2 == number
    assert decoded.repaired == ("area_m2",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1,20",
        "1,2000",
        ",200",
        "1200,",
        "12,345,67",
        "1.200,5",
        "0x10",
        "+5",
        "1_000",
        "1e999",
        "nan",
        "true",
        "null",
        "[1]",
        "1 200",
        "\u0661\u0662",
        "\ud800",
    ],
)
def test_a_text_that_is_no_plain_number_is_not_guessed_at(text: str) -> None:
    assert wire._number(text, whole=False) is None


def test_several_repairs_are_told_in_order_of_name() -> None:
    decoded = accepted(changed(storeys="2", area_m2="120", bedrooms="3"))

    assert decoded.repaired == ("area_m2", "bedrooms", "storeys")


def test_text_stays_text_even_if_it_looks_like_a_number() -> None:
    decoded = accepted(changed(home_id="7129300520", built_year="1955"))

    assert isinstance(decoded.event, Listing)
    assert decoded.event.home_id == "7129300520"
    assert decoded.event.built_year == 1955


def test_an_absent_version_means_the_first() -> None:
    assert accepted(without("schema_version")).event.schema_version == 1


def test_equal_messages_are_equal_bytes_whatever_the_order_of_their_mappings() -> None:
    one = messages.manifest(encoding_defaults={"a": 1.0, "b": 2.0})
    other = messages.manifest(encoding_defaults={"b": 2.0, "a": 1.0})

    assert wire.encode(one) == wire.encode(other)


def test_what_is_no_number_goes_out_as_null() -> None:
    prediction = messages.prediction(price=float("nan"), price_high=float("inf"))

    assert json.loads(wire.encode(prediction))["price"] is None
    assert json.loads(wire.encode(prediction))["price_high"] is None


@pytest.mark.parametrize(
    ("message", "decode"),
    [
        (messages.prediction(), wire.decode_prediction),
        (messages.outcome(), wire.decode_outcome),
        (messages.champion(), wire.decode_model_message),
        (messages.corrector(), wire.decode_model_message),
        (messages.alias(), wire.decode_model_message),
        (messages.activated(), wire.decode_activated),
        (messages.alert(), wire.decode_alert_message),
        (messages.resolved(), wire.decode_alert_message),
        (messages.acknowledged(), wire.decode_alert_message),
        (messages.snoozed(), wire.decode_alert_message),
        (messages.decision(), wire.decode_alert_message),
        (messages.retrain_requested(), wire.decode_alert_message),
        (messages.preflight_requested(), wire.decode_alert_message),
        (messages.rollback_requested(), wire.decode_alert_message),
        (messages.approval(), wire.decode_alert_message),
        (messages.answered(RequestStatus.RUNNING), wire.decode_alert_message),
        (messages.preflight_measured(), wire.decode_alert_message),
        (messages.rolled_back(), wire.decode_alert_message),
        (messages.archive_manifest(), wire.decode_archive_manifest),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, msgspec.Struct) else "",
)
def test_a_message_comes_back_as_it_was_sent(
    message: msgspec.Struct, decode: Callable[[bytes], msgspec.Struct]
) -> None:
    assert decode(wire.encode(message)) == message


def test_a_signature_signs_all_of_the_manifest() -> None:
    signed = {
        wire.manifest_bytes(messages.manifest()),
        wire.manifest_bytes(messages.manifest(version="v2")),
        wire.manifest_bytes(messages.manifest(encoding_defaults={"home_type_code": 7.6})),
    }

    assert len(signed) == 3


@pytest.mark.parametrize(
    "decode",
    [
        wire.decode_prediction,
        wire.decode_outcome,
        wire.decode_activated,
        wire.decode_model_message,
        wire.decode_alert_message,
        wire.decode_archive_manifest,
    ],
)
@pytest.mark.parametrize(
    "raw",
    [b'{"kind":"alias","market":"\xff"}', b"[" * 100_000, b"", b"7"],
    ids=["bad UTF-8", "deep", "empty", "a number"],
)
def test_what_is_no_message_of_ours_has_one_kind_of_error(
    decode: Callable[[bytes], object], raw: bytes
) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(raw)


def test_a_whole_number_written_with_a_point_is_read_as_one() -> None:
    answer = wire.decode_event(changed(bedrooms=3.0, area_m2=150.0))

    assert isinstance(answer, Decoded)
    assert answer.repaired == ("bedrooms",)
    assert isinstance(answer.event, Listing)
    assert answer.event.bedrooms == 3


def test_half_a_bedroom_is_refused() -> None:
    assert refused(changed(bedrooms=2.5)).code is RejectCode.SCHEMA
