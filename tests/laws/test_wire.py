"""Any bytes decode to an event or a reject; encode and decode are inverse; the schema says so too."""

import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stream_app.contract import dictionary, wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.predictions import Prediction
from stream_app.contract.rejects import RejectCode, Rejected
from stream_app.contract.rules import violation
from stream_app.contract.wire import Decoded
from tests import builders, messages

DETAIL_CHARS_MAX = 250

Decode = Callable[[bytes], Decoded | Rejected]

GOOD = json.loads(builders.raw(builders.listing()))
FIELDS = sorted({*GOOD, "kind", "sale_price", "owner"})

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1,200", "listing", "sale", "1e999", "[", "9" * 30])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
CHANGES = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4)

DEEP = b"[" * 50_000
# In a text that could be a number: the decoder looks into those.
DEEP_TEXT = json.dumps(GOOD | {"area_m2": "[" * 50_000}).encode()


def events() -> st.SearchStrategy[AnyEvent]:
    common = {
        "event_id": NAMES,
        "event_time_ms": st.integers(0, 2**53 - 1),
        "region": NAMES,
        "trace_id": st.none() | NAMES,
        "sequence": st.none() | st.integers(0, 2**53 - 1),
        "simulated_fields": st.lists(NAMES, max_size=3).map(tuple),
        "revision": st.integers(0, 500),
    }
    listing: dict[str, st.SearchStrategy[object]] = {
        "area_m2": FINITE,
        "asking_price": st.none() | FINITE,
        "bedrooms": st.none() | st.integers(-(2**63), 2**63 - 1),
        "waterfront": st.none() | st.booleans(),
        "street": st.none() | NAMES,
    }
    return st.one_of(
        st.builds(builders.listing, **common, **listing),
        st.builds(builders.sale, **common, sale_price=FINITE),
        st.builds(builders.correction, **common, sale_price=FINITE),
        st.builds(builders.withdrawal, **common),
        st.builds(builders.erasure, **common),
    )


def check_any_bytes_are_an_event_or_a_reject(decode: Decode) -> None:
    changed = CHANGES.map(lambda changes: json.dumps(GOOD | changes).encode())
    cut = st.tuples(changed, st.integers(0, 600)).map(lambda drawn: drawn[0][: drawn[1]])

    @settings(derandomize=True, database=None, deadline=None, report_multiple_bugs=False)
    @given(st.binary() | VALUES.map(json.dumps).map(str.encode) | changed | cut)
    @example(DEEP)
    @example(DEEP_TEXT)
    def any_bytes_are_an_event_or_a_reject(raw: bytes) -> None:
        answer = decode(raw)
        if isinstance(answer, Rejected):
            assert answer.raw == raw
            assert len(answer.detail) < DETAIL_CHARS_MAX
        else:
            assert wire.decode_event(wire.encode(answer.event)) == Decoded(answer.event, ())
            broken = violation(answer.event)
            assert broken is None or isinstance(broken[0], RejectCode)

    any_bytes_are_an_event_or_a_reject()


def blind_to_nesting(raw: bytes) -> Decoded | Rejected:
    """Planted: takes msgspec's own errors for all that there are."""
    try:
        return Decoded(msgspec.convert(msgspec.json.decode(raw), AnyEvent), ())
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Rejected(RejectCode.SCHEMA, "", raw)


def talkative(raw: bytes) -> Decoded | Rejected:
    """Planted: repeats the whole event in the detail, so that a reject outgrows its topic."""
    answer = wire.decode_event(raw)
    if isinstance(answer, Rejected):
        return Rejected(answer.code, repr(raw), raw)
    return answer


def test_any_bytes_are_an_event_or_a_reject() -> None:
    check_any_bytes_are_an_event_or_a_reject(wire.decode_event)


def test_law_catches_a_decoder_that_is_blind_to_nesting() -> None:
    with pytest.raises(RecursionError):
        check_any_bytes_are_an_event_or_a_reject(blind_to_nesting)


def test_law_catches_a_reject_that_repeats_its_event() -> None:
    with pytest.raises(AssertionError):
        check_any_bytes_are_an_event_or_a_reject(talkative)


def check_decode_undoes_encode(encode: Callable[[msgspec.Struct], bytes]) -> None:
    predictions = st.builds(
        messages.prediction,
        price=st.none() | FINITE,
        features=st.lists(st.none() | FINITE, max_size=5).map(tuple),
        feature_age_ms=st.none() | st.integers(0, 2**53 - 1),
        trace_id=st.none() | NAMES,
    )

    @settings(derandomize=True, database=None, deadline=None, report_multiple_bugs=False)
    @given(events(), predictions)
    @example(builders.listing(basement_m2=0.0), messages.prediction(price=None))
    def decode_undoes_encode(event: AnyEvent, prediction: Prediction) -> None:
        assert wire.decode_event(encode(event)) == Decoded(event, ())
        assert wire.decode_prediction(encode(prediction)) == prediction

    decode_undoes_encode()


def thrifty_encode(message: msgspec.Struct) -> bytes:
    """Planted: leaves out what is 0 or false, as if that were unknown."""
    fields = json.loads(wire.encode(message))
    required = ("kind", "area_m2", "sale_price")
    kept = {name: value for name, value in fields.items() if value or name in required}
    return json.dumps(kept).encode()


def test_decode_undoes_encode() -> None:
    check_decode_undoes_encode(wire.encode)


def test_law_catches_an_encoder_that_drops_zeros() -> None:
    with pytest.raises((AssertionError, msgspec.ValidationError)):
        check_decode_undoes_encode(thrifty_encode)


def check_schema_agrees_with_decoder(decode: Decode) -> None:
    schema = Draft202012Validator(json.loads(dictionary.schema("event")))

    @settings(derandomize=True, database=None, deadline=None, report_multiple_bugs=False)
    @given(CHANGES)
    @example({"owner": "A. Person"})
    @example({"bedrooms": "3"})
    def schema_agrees_with_decoder(changes: dict[str, object]) -> None:
        event = GOOD | changes
        # JSON Schema takes 3.0 for an integer and NaN for a number; the decoder does neither.
        if any(isinstance(value, float) for value in changes.values()):
            return
        answer = decode(json.dumps(event).encode())
        accepted = isinstance(answer, Decoded) and not answer.repaired
        assert schema.is_valid(event) == accepted

    schema_agrees_with_decoder()


def lenient(raw: bytes) -> Decoded | Rejected:
    """Planted: ignores a field that it does not know."""
    answer = wire.decode_event(raw)
    if isinstance(answer, Rejected) and answer.code is RejectCode.UNKNOWN_FIELD:
        return Decoded(builders.listing(), ())
    return answer


def test_schema_agrees_with_decoder() -> None:
    check_schema_agrees_with_decoder(wire.decode_event)


def test_law_catches_a_decoder_that_ignores_unknown_fields() -> None:
    with pytest.raises(AssertionError):
        check_schema_agrees_with_decoder(lenient)
