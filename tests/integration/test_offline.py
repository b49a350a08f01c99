"""From the topic to a data set, and from a promotion to the topic, on a real broker."""

import json
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from offline import announce, dataset, log
from offline.__main__ import main
from stream_app.contract.models import Policy
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, MODELS, PARTITIONER, full_name
from stream_app.stages import scorer
from stream_app.stages.step import Serving
from tests import builders, sales

pytestmark = pytest.mark.broker

# The third is an hour behind; the fourth sees it in its windows, or does not.
LATE = [builders.LISTED_MS + at_h * builders.HOUR_MS for at_h in (0, 24, 23, 24)]


def send(kafka: KafkaSettings, values: list[tuple[str, bytes]]) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "partitioner": PARTITIONER})
    for key, value in values:
        producer.produce(full_name(kafka.prefix, EVENTS), value, key)
    assert producer.flush(30) == 0


def test_the_topic_gives_the_same_rows_as_a_file(kafka: KafkaSettings) -> None:
    given = sales.events(200)
    send(kafka, [(event.region, builders.raw(event)) for event in given])

    from_topic = dataset.collect(log.of_topic(kafka), sales.MARKET, sales.ENDED_MS, processes=2)

    from_file = dataset.collect([sales.partition(given)], sales.MARKET, sales.ENDED_MS)
    assert len(from_topic) == 200
    assert np.array_equal(from_topic.rows, from_file.rows, equal_nan=True)
    assert dataset.sha256(from_topic) == dataset.sha256(from_file)


def test_parity_is_certified_with_the_policy_that_was_active(
    kafka: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [builders.listing(listing_id=str(n), event_time_ms=at) for n, at in enumerate(LATE)]
    send(kafka, [(event.region, builders.raw(event)) for event in given])
    serve(kafka, Policy(listing_late_h=0))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("HOUSING_KAFKA_PREFIX", kafka.prefix)
    certificate = tmp_path / "certificate.json"

    status = main(["parity", "--market", sales.MARKET, "--out", str(certificate)])

    found = json.loads(certificate.read_bytes())
    assert (status, found["verdict"], found["compared"]) == (0, "equal", len(LATE))
    policies = [since for part in found["partitions"] for since in part["read"]["policies"]]
    assert [since["policy"]["listing_late_h"] for since in policies] == [0]


def serve(kafka: KafkaSettings, policy: Policy) -> None:
    """Put on the topics what a scorer with that policy would."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for partition in log.of_topic(kafka):
        for cut in log.batches(partition):
            done = scorer.advance(cut.batch, {}, {sales.MARKET: Serving(policy=policy)})
            for output in done.outputs:
                topic = full_name(kafka.prefix, output.topic)
                producer.produce(topic, output.value, output.key, partition.number)
    assert producer.flush(30) == 0


def test_a_transaction_that_was_aborted_at_the_end_is_not_waited_for(kafka: KafkaSettings) -> None:
    send(kafka, [(builders.REGION, builders.raw(builders.listing()))])
    aborted = Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "partitioner": PARTITIONER,
            "transactional.id": f"{kafka.prefix}-test",
        }
    )
    aborted.init_transactions(30)
    aborted.begin_transaction()
    sale = builders.raw(builders.sale())
    aborted.produce(full_name(kafka.prefix, EVENTS), sale, builders.REGION)
    aborted.flush(30)
    aborted.abort_transaction(30)

    lines = [line for partition in log.of_topic(kafka) for line in partition.lines]

    assert [line.record.value for line in lines] == [builders.raw(builders.listing())]


def test_what_is_published_is_on_the_models_topic_in_order(kafka: KafkaSettings) -> None:
    sent = [announce.Message(f"king-county/champion/c{n}", b"{}") for n in range(3)]

    announce.publish(kafka, sent)

    assert _read(kafka, 3) == sent


def _read(kafka: KafkaSettings, count: int) -> list[announce.Message]:
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap_servers, "group.id": f"{kafka.prefix}.test"}
    )
    consumer.assign([TopicPartition(full_name(kafka.prefix, MODELS), 0, 0)])
    try:
        found = consumer.consume(count, timeout=30)
    finally:
        consumer.close()
    return [announce.Message((m.key() or b"").decode(), m.value() or b"") for m in found]
