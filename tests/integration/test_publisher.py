"""The real publisher: all of a step at once, by one owner at a time."""

import pytest
from confluent_kafka.admin import AdminClient

from stream_app.contract.rejects import Undelivered
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, OUTCOMES, PREDICTIONS, STATE, full_name
from stream_app.shell.chaos import At, Point, nothing
from stream_app.shell.publisher import _LEFT_ALONE, Fenced, KafkaPublisher
from stream_app.shell.region_store import read_state
from stream_app.stages.step import Output, Step
from tests.integration.workers import PARTITIONS, read

pytestmark = pytest.mark.broker

APPENDED_MS = 1_000
NOW_MS = 1_250


def publisher(kafka: KafkaSettings, at: At = nothing) -> KafkaPublisher:
    return KafkaPublisher(kafka, "counting", EVENTS, STATE, 2, at, now_ms=lambda: NOW_MS)


def prediction(value: bytes, cause_ms: int | None = None) -> Output:
    return Output(PREDICTIONS, b"kc-1", value, 2, (("h", b"1"),), cause_ms)


def test_a_step_lies_where_it_belongs(kafka: KafkaSettings) -> None:
    outcome = Output(OUTCOMES, b"king-county", b"o")

    publisher(kafka).commit(Step((prediction(b"p", APPENDED_MS), outcome), {"a": b"1"}, 0))

    (seen,) = read(kafka, PREDICTIONS, 2)
    assert (seen.key, seen.value) == ("kc-1", b"p")
    assert seen.headers == {"h": b"1", "latency_ms": b"250"}
    assert [s.value for p in range(PARTITIONS) for s in read(kafka, OUTCOMES, p)] == [b"o"]
    assert [(s.key, s.value) for s in read(kafka, STATE, 2)] == [("a", b"1")]


def test_state_is_read_back_without_what_was_forgotten(kafka: KafkaSettings) -> None:
    writer = publisher(kafka)
    writer.commit(Step((), {"a": b"1", "b": b"2", "c": b"3"}, 0))
    writer.commit(Step((), {"a": b"4", "b": None}, 1))
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})

    stored = read_state(admin, kafka, full_name(kafka.prefix, STATE), 2)

    # The order is that of the log; a marker follows each of two transactions.
    assert list(stored.records.items()) == [("c", b"3"), ("a", b"4")]
    assert stored.end == 7


def test_an_empty_state_is_read_at_once(kafka: KafkaSettings) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})

    assert read_state(admin, kafka, full_name(kafka.prefix, STATE), 2) == ({}, 0)


def test_nothing_is_visible_of_a_transaction_that_was_not_committed(kafka: KafkaSettings) -> None:
    class PulledOut(Exception):
        pass

    def pull_out(point: Point) -> None:
        if point is Point.BEFORE_COMMIT:
            raise PulledOut

    dying = publisher(kafka, pull_out)
    with pytest.raises(PulledOut):
        dying.commit(Step((prediction(b"never"),), {"a": b"1"}, 0))
    publisher(kafka).commit(Step((prediction(b"p"),), {}, 0))

    assert [seen.value for seen in read(kafka, PREDICTIONS, 2)] == [b"p"]
    assert read(kafka, STATE, 2) == []


def test_the_former_owner_is_fenced(
    kafka: KafkaSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    former = publisher(kafka)
    publisher(kafka)

    with pytest.raises(Fenced):
        former.commit(Step((prediction(b"never"),), {"a": b"1"}, 0))

    assert read(kafka, PREDICTIONS, 2) == []
    assert "rdkafka" not in capfd.readouterr().err  # a worker's log has a JSON object per line


def test_a_producer_that_was_fenced_is_asked_nothing_more_and_never_destroyed(
    kafka: KafkaSettings,
) -> None:
    former = publisher(kafka)
    publisher(kafka)
    with pytest.raises(Fenced):
        former.commit(Step((prediction(b"never"),), {"a": b"1"}, 0))
    producer = former._producer

    former.close()
    del former

    assert producer in _LEFT_ALONE


def test_a_record_too_large_for_its_topic_is_undelivered(kafka: KafkaSettings) -> None:
    with pytest.raises(Undelivered):
        publisher(kafka).commit(Step((prediction(bytes(3_000_000)),), {"a": b"1"}, 0))

    assert read(kafka, STATE, 2) == []


def test_a_publisher_closes_with_a_transaction_open_or_without(kafka: KafkaSettings) -> None:
    idle = publisher(kafka)
    idle.close()
    idle.close()
