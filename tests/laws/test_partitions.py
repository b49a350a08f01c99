"""A key lies where Kafka's own clients put it."""

import zlib
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.partitioner.default import DefaultPartitioner

from stream_app.contract.ids import murmur2, partition_of
from tests.laws.law import LAW, PLANTED

Place = Callable[[bytes, int], int]


class Cluster(NamedTuple):
    """What kafka-python's partitioner asks of a cluster."""

    partitions: int

    def topics(self) -> set[str]:
        return {"events"}

    def partitions_for_topic(self, topic: str) -> set[int]:
        return set(range(self.partitions))

    def available_partitions_for_topic(self, topic: str) -> set[int]:
        return set(range(self.partitions))


KEYS = st.binary(min_size=1, max_size=40) | st.text(min_size=1).map(
    lambda text: text.encode("utf-8", "replace")
)


def check_law(place: Place, how: settings = LAW) -> None:
    @how
    @given(KEYS, st.integers(1, 64))
    def key_lies_where_kafka_puts_it(key: bytes, partitions: int) -> None:
        kafkas = DefaultPartitioner().partition(
            "events", None, key, None, None, Cluster(partitions)
        )

        assert place(key, partitions) == kafkas

    key_lies_where_kafka_puts_it()


def place_by_crc32(key: bytes, partitions: int) -> int:
    """Planted: what librdkafka does when it is not told otherwise."""
    return zlib.crc32(key) % partitions


def place_by_absolute_value(key: bytes, partitions: int) -> int:
    """Planted: makes the signed hash positive by abs() instead of by its mask."""
    hashed = murmur2(key)
    return abs(hashed - 2**32 if hashed >= 2**31 else hashed) % partitions


def test_a_key_lies_where_kafka_puts_it() -> None:
    check_law(partition_of, settings(LAW, max_examples=200))


@pytest.mark.parametrize("planted", [place_by_crc32, place_by_absolute_value])
def test_the_law_of_partitions_catches(planted: Place) -> None:
    with pytest.raises(AssertionError):
        check_law(planted, PLANTED)
