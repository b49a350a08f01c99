"""Bytes that no publisher should send, drawn by a seed. No broker; used by the load and the fuzz.

Each family takes a generator and gives a key, a value and a partition (None: where the key
belongs). What becomes of them is not said here: the step says it, and every offset must be
accounted for whatever it says.
"""

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from stream_app.contract.topics import EVENT_BYTES_MAX
from tests import builders

REGIONS = tuple(f"kc-{98_001 + number}" for number in range(24))
_DEEP = 100_000
_HUGE_DIGITS = 5_000  # more than Python turns into an int
_SCALARS = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0.0", b"null", b"true", b'""', b"[]", b"{}",
    b'"1,200"', b'"1.200,5"', b'"\xd9\xa1\xd9\xa2"', b"9" * 25, b"-1", b"0.1e-400", b'"NaN"',
    b"[[[]]]", b"3.0", b'"  85.5 "',
)  # fmt: skip


class Payload(NamedTuple):
    """One record as it is sent."""

    key: bytes | None
    value: bytes | None
    partition: int | None = None


def _event(draw: random.Random) -> tuple[bytes, dict[str, object]]:
    """A believable event as plain fields, with the key it belongs under."""
    make = draw.choice((builders.listing, builders.sale, builders.correction, builders.withdrawal))
    region = draw.choice(REGIONS)
    number = draw.randrange(10**6)
    event = (
        make(region=region, listing_id=f"fuzz-{number}", area_m2=90.0)
        if (make is builders.listing)
        else make(region=region, listing_id=f"fuzz-{number}")
    )
    return region.encode(), msgspec.json.decode(builders.raw(event))


def _with_field(draw: random.Random, name: str, text: bytes) -> Payload:
    """An event in which one field holds whatever JSON, or no JSON, `text` is."""
    key, fields = _event(draw)
    fields.pop(name, None)
    body = msgspec.json.encode(fields)
    return Payload(key, body[:-1] + b',"' + name.encode() + b'":' + text + b"}")


def valid(draw: random.Random) -> Payload:
    key, fields = _event(draw)
    return Payload(key, msgspec.json.encode(fields))


def noise(draw: random.Random) -> Payload:
    return Payload(draw.choice(REGIONS).encode(), draw.randbytes(draw.randrange(200)))


def bad_utf8(draw: random.Random) -> Payload:
    return _with_field(
        draw, "source", b'"' + draw.choice((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80")) + b'"'
    )


def scalar(draw: random.Random) -> Payload:
    """NaN, infinity, wrong types and numbers as text, in any field."""
    names = ("area_m2", "sale_price", "revision", "event_time_ms", "bedrooms", "event_id", "kind",
             "market", "schema_version", "source", "listing_id", "waterfront")  # fmt: skip
    return _with_field(draw, draw.choice(names), draw.choice(_SCALARS))


def huge_integer(draw: random.Random) -> Payload:
    digits = b"9" * draw.choice((19, 20, 309, _HUGE_DIGITS))
    return _with_field(draw, draw.choice(("event_time_ms", "revision", "area_m2")), digits)


def deep(draw: random.Random) -> Payload:
    opening, closing = draw.choice(((b"[", b"]"), (b'{"a":', b"}")))
    depth = draw.choice((600, 3_000, _DEEP))
    return _with_field(draw, "source", opening * depth + b"1" + closing * depth)


def no_key(draw: random.Random) -> Payload:
    return Payload(None, valid(draw).value)


def empty_key(draw: random.Random) -> Payload:
    return Payload(b"", valid(draw).value)


def foreign_key(draw: random.Random) -> Payload:
    return Payload(draw.choice((b"\xff\xfe", b"kc-0", b"k" * 5_000)), valid(draw).value)


def foreign_partition(draw: random.Random) -> Payload:
    sent = valid(draw)
    return Payload(sent.key, sent.value, draw.randrange(4))


def unknown_version(draw: random.Random) -> Payload:
    return _with_field(draw, "schema_version", draw.choice((b"2", b"0", b'"1"', b"1.0", b"-1")))


def tombstone(draw: random.Random) -> Payload:
    return Payload(draw.choice(REGIONS).encode(), None)


def empty(draw: random.Random) -> Payload:
    return Payload(draw.choice(REGIONS).encode(), b"")


def truncated(draw: random.Random) -> Payload:
    key, value, _ = valid(draw)
    return Payload(key, (value or b"")[: draw.randrange(len(value or b"") + 1)])


def bit_flips(draw: random.Random) -> Payload:
    key, value, _ = valid(draw)
    flipped = bytearray(value or b"")
    for _ in range(draw.randint(1, 4)):
        flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
    return Payload(key, bytes(flipped))


def long_text(draw: random.Random) -> Payload:
    letters = draw.choice(("x", "\u00e9", "\u6771", "\U0001f3e0"))
    length = draw.choice((64, 65, 128, 129, 5_000, 50_000))
    name = draw.choice(("source", "event_id", "listing_id", "street", "region"))
    return _with_field(draw, name, msgspec.json.encode(letters * length))


def doubled_key(draw: random.Random) -> Payload:
    key, fields = _event(draw)
    body = msgspec.json.encode(fields)
    again = draw.choice(
        (b'"kind":"sale"', b'"event_id":"other"', b'"market":"hdb"', b'"revision":7')
    )
    return Payload(key, body[:-1] + b"," + again + b"}")


def lone_surrogate(draw: random.Random) -> Payload:
    name = draw.choice(("source", "event_id", "listing_id", "region"))
    return _with_field(draw, name, draw.choice((b'"\\ud800"', b'"a\\udfff"', b'"\\u0000"')))


def not_an_object(draw: random.Random) -> Payload:
    return Payload(
        draw.choice(REGIONS).encode(),
        draw.choice((*_SCALARS, b'"text"', b"[{}]", b"\xef\xbb\xbf{}")),
    )


def unknown_field(draw: random.Random) -> Payload:
    return _with_field(draw, draw.choice(("owner", "", "x" * 500, "kind ")), b"1")


def absurd_number(draw: random.Random) -> Payload:
    """Of the right type, and not to be believed, or barely."""
    name = draw.choice(("area_m2", "sale_price", "event_time_ms", "latitude", "built_year"))
    numbers = (b"0", b"-1", b"1e308", b"5e-324", b"9007199254740991", b"631152000000", b"4999.9")
    return _with_field(draw, name, draw.choice(numbers))


FAMILIES: Mapping[str, Callable[[random.Random], Payload]] = MappingProxyType(
    {
        family.__name__: family
        for family in (
            valid, noise, bad_utf8, scalar, huge_integer, deep, no_key, empty_key, foreign_key,
            foreign_partition, unknown_version, tombstone, empty, truncated, bit_flips, long_text,
            doubled_key, lone_surrogate, not_an_object, unknown_field, absurd_number,
        )
    }
)  # fmt: skip
_NAMES = tuple(FAMILIES)


def draw_one(draw: random.Random) -> Payload:
    """Of any family; deep ones are large, so they come seldom."""
    name = draw.choice(_NAMES)
    if name == "deep" and draw.random() < 0.9:
        name = "bit_flips"
    return FAMILIES[name](draw)


def too_large(draw: random.Random, size: int = 10 * EVENT_BYTES_MAX) -> Payload:
    """One of `size` bytes, of a publisher that can still be read; its topic must allow it."""
    text = draw.choice((b"x", b"y")) * size
    return _with_field(draw, "street", b'"' + text[:size] + b'"')
