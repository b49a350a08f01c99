"""Ids are the same in every run, and partitions the same as Kafka's own clients choose."""

import itertools

import pytest
from kafka.partitioner.default import murmur2 as kafka_murmur2

from stream_app.contract import ids


def test_an_id_is_the_same_in_every_run() -> None:
    assert ids.prediction_id("kc-1", "a", "a:0", "champion") == "b383871e75406c7e11deb901"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b"), ("b", "a")),
        (("ab", "c"), ("a", "bc")),
        (("a",), ("a", "")),
        ((), ("",)),
        (("é",), ("e\u0301",)),
    ],
    ids=["order", "boundary", "an empty part", "no part", "another spelling"],
)
def test_other_parts_give_another_fingerprint(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert ids.fingerprint(*one) != ids.fingerprint(*other)


def test_a_lone_surrogate_has_a_fingerprint_too() -> None:
    assert len(ids.fingerprint("\ud800")) == 24


def test_each_region_listing_event_and_arm_names_its_own_prediction() -> None:
    causes = itertools.product(["kc-1", "kc-2"], "ab", ["1", "2"], ["champion", "challenger"])

    assert len({ids.prediction_id(*cause) for cause in causes}) == 16


@pytest.mark.parametrize("length", range(9))
def test_murmur2_is_that_of_kafka_clients(length: int) -> None:
    key = bytes(range(251, 251 - length, -1))

    assert ids.murmur2(key) == kafka_murmur2(key) & 0xFFFFFFFF


def test_a_region_lies_in_the_partition_that_kafka_clients_choose() -> None:
    for region in ("kc-98178", "hdb-ang-mo-kio", "hdb-bukit-batok", "ü"):
        key = region.encode()
        assert ids.partition_of(key, 4) == (kafka_murmur2(key) & 0x7FFFFFFF) % 4
