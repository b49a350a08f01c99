"""A record of `housing.events` becomes a believed event or a reject that says why."""

import hashlib
import json

import pytest

from stream_app.contract.events import AnyEvent
from stream_app.contract.ids import partition_of
from stream_app.contract.rejects import RejectCode, Rejected
from stream_app.contract.rules import FUTURE_TOLERANCE_MS
from stream_app.contract.topics import EVENT_BYTES_MAX, RECORD_BYTES_MAX, REJECTS
from stream_app.contract.wire import Decoded
from stream_app.stages import intake
from stream_app.stages.step import Batch, Output, Record
from tests import builders
from tests.builders import LISTED_MS, REGION, listing
from tests.replay import batch, record

PARTITIONS = 4
HOME = partition_of(REGION.encode(), PARTITIONS)


def read(
    event: AnyEvent | None = None,
    *,
    key: bytes | None = REGION.encode(),
    value: bytes | None = None,
    append_time_ms: int = LISTED_MS,
    partition: int = HOME,
) -> Decoded | Rejected:
    raw = builders.raw(event or listing()) if value is None else value
    taken = Record(7, key, raw, append_time_ms)
    return intake.read(taken, Batch("housing.events", "t", partition, PARTITIONS, [taken]))


def code_of(answer: Decoded | Rejected) -> RejectCode:
    assert isinstance(answer, Rejected)
    return answer.code


def refuse(rejected: Rejected, taken: Record) -> Output:
    """The reject of what its bytes say by whom they were sent."""
    return intake.reject(rejected, intake.publisher_of(rejected), taken, batch([taken]))


def headers_of(refused: bytes, detail: str = "why") -> dict[str, str]:
    """The headers of a reject of these bytes at offset 7 of partition 0."""
    taken = Record(7, b"k", refused, LISTED_MS)
    output = refuse(Rejected(RejectCode.AREA, detail, refused), taken)
    return {name: value.decode() for name, value in output.headers}


def test_a_good_event_in_its_partition_is_believed() -> None:
    assert read() == Decoded(listing(), ())


def test_what_was_repaired_is_told() -> None:
    fields = json.loads(builders.raw(listing())) | {"lot_m2": "1,200"}

    answer = read(value=json.dumps(fields).encode())

    assert isinstance(answer, Decoded)
    assert answer.repaired == ("lot_m2",)


def test_bytes_that_are_no_event_are_refused() -> None:
    assert code_of(read(value=b"\xff")) is RejectCode.NOT_JSON


def test_a_record_without_a_value_is_refused() -> None:
    taken = Record(7, b"k", None, LISTED_MS)

    assert code_of(intake.read(taken, batch([taken]))) is RejectCode.NOT_JSON


def test_an_event_that_breaks_a_rule_is_refused() -> None:
    assert code_of(read(listing(area_m2=5_500.0))) is RejectCode.AREA


@pytest.mark.parametrize("key", [None, b"", b"kc-98103"], ids=["none", "empty", "another region"])
def test_a_key_that_is_not_the_region_is_refused(key: bytes | None) -> None:
    assert code_of(read(key=key)) is RejectCode.KEY


def test_an_event_in_a_foreign_partition_is_refused_and_told_where_it_belongs() -> None:
    answer = read(partition=(HOME + 1) % PARTITIONS)

    assert code_of(answer) is RejectCode.PARTITION
    assert isinstance(answer, Rejected)
    assert answer.detail.endswith(f"says {HOME}")


@pytest.mark.parametrize(
    ("ahead_ms", "believed"),
    [(FUTURE_TOLERANCE_MS, True), (FUTURE_TOLERANCE_MS + 1, False)],
    ids=["clocks differ", "from the future"],
)
def test_the_future_begins_after_what_clocks_may_differ(ahead_ms: int, believed: bool) -> None:
    answer = read(append_time_ms=LISTED_MS - ahead_ms)

    assert isinstance(answer, Decoded) is believed


def test_the_place_is_judged_before_what_the_event_says() -> None:
    assert code_of(read(listing(area_m2=5_500.0), key=b"?")) is RejectCode.KEY


def test_a_reject_carries_the_original_bytes_and_lies_where_its_event_lay() -> None:
    taken = record(listing(area_m2=5_500.0), offset=7)

    output = refuse(Rejected(RejectCode.AREA, "why", taken.value or b""), taken)

    assert (output.topic, output.key, output.value) == (REJECTS, taken.key, taken.value)
    assert (output.partition, output.cause_ms) == (0, taken.append_time_ms)


def test_the_headers_say_what_whence_and_why() -> None:
    refused = builders.raw(listing())

    assert headers_of(refused) == {
        "code": "area",
        "detail": "why",
        "source_topic": "housing.events",
        "source_partition": "0",
        "source_offset": "7",
        "publisher": "test",
        "size": str(len(refused)),
        "sha256": hashlib.sha256(refused).hexdigest(),
    }


@pytest.mark.parametrize(
    ("size", "kept"),
    [(EVENT_BYTES_MAX, EVENT_BYTES_MAX), (EVENT_BYTES_MAX + 1, 0)],
    ids=["at the limit", "above it"],
)
def test_bytes_above_the_limit_are_not_repeated(size: int, kept: int) -> None:
    refused = b"x" * size
    taken = Record(7, b"k", refused, LISTED_MS)

    output = refuse(Rejected(RejectCode.TOO_LARGE, "", refused), taken)

    assert len(output.value or b"") == kept


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"k" * 2_000_000, b"x" * EVENT_BYTES_MAX),
        (b"k", b'{"source":"' + b"a" * 999_900 + b'"}'),
        (b"k" * 2_000_000, b'{"source":"' + b"a" * 1_999_900 + b'"}'),
    ],
    ids=["a long key", "a long source", "both, and too large"],
)
def test_a_reject_fits_its_topic_however_large_its_event(key: bytes, value: bytes) -> None:
    taken = Record(7, key, value, LISTED_MS)
    answer = intake.read(taken, batch([taken]))
    assert isinstance(answer, Rejected)

    output = refuse(answer, taken)

    headers = sum(len(name) + len(text) for name, text in output.headers)
    assert len(output.key or b"") + len(output.value or b"") + headers < RECORD_BYTES_MAX - 900_000


def test_a_reject_without_a_key_has_none() -> None:
    taken = Record(7, None, b"?", LISTED_MS)

    assert refuse(Rejected(RejectCode.KEY, "why", b"?"), taken).key is None
