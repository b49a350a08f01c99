"""The ceiling: our own pure step in a loop written by hand over confluent-kafka, without Faust.

Exactly once: one transaction holds all that a batch comes to, of whichever partitions, which is
cheaper than the worker's one for each partition. What it leaves out is what a worker needs beside
that: recovery, rebalances, the watch for a stall, metrics, swaps of models. It reads partitions
that it assigns to itself, from the start, once.
"""

import gc
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from bench.champion import Models
from bench.weights import remember
from stream_app.contract.markets import MARKETS
from stream_app.contract.topics import DEFAULT_PARTITIONS, EVENTS, full_name
from stream_app.scoring import champion
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Record, Serving, Step

BATCH_MAX = 2_000  # of all partitions together: 500 of each, as the worker has
_TELL_EVERY_S = 0.5  # how often the group is told how far it is


def main() -> None:
    brokers, prefix = os.environ["BENCH_BROKERS"], os.environ["HOUSING_KAFKA_PREFIX"]
    models = Models.of(Path(os.environ["BENCH_MODELS"]))
    serving = {name: Serving() for name in MARKETS} | served(models)
    topic = full_name(prefix, EVENTS)
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": os.environ["BENCH_GROUP"],
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.assign([TopicPartition(topic, number, 0) for number in range(DEFAULT_PARTITIONS)])
    producer = _open(brokers)
    states: list[dict[str, bytes]] = [{} for _ in range(DEFAULT_PARTITIONS)]
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)  # as the worker does: `spare_collector` in shell/worker.py
    told_s = time.monotonic()
    while True:
        messages = consumer.consume(BATCH_MAX, timeout=0.05)
        if messages:
            producer.begin_transaction()
            for batch in _batches(messages, topic):
                step = scorer.advance(batch, states[batch.partition], serving)
                _write(step, batch.partition, producer)
                remember(step, states[batch.partition])
            producer.commit_transaction()
        if time.monotonic() - told_s > _TELL_EVERY_S:
            told_s = time.monotonic()
            consumer.commit(offsets=consumer.position(consumer.assignment()), asynchronous=True)


def served(models: Models) -> dict[str, Serving]:
    """The models of the bench, opened and checked as a worker does."""
    announced = models.champion()
    key = bytes.fromhex((models.folder / "signing.pub").read_text("ascii").strip())
    opened = champion.load(models.bundle().read_bytes(), announced, key)
    return {announced.manifest.market: Serving(champion=opened, corrector=models.corrector())}


def _open(brokers: str) -> Producer:
    producer = Producer(
        {
            "bootstrap.servers": brokers,
            "transactional.id": os.environ["BENCH_GROUP"],
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    producer.init_transactions(30)
    return producer


def _batches(messages: Sequence[Message], topic: str) -> Iterator[Batch]:
    """What came, partition by partition."""
    taken: defaultdict[int, list[Record]] = defaultdict(list)
    for message in messages:
        _, append_ms = message.timestamp()
        taken[message.partition()].append(
            Record(message.offset(), message.key(), message.value(), append_ms)
        )
    for partition, records in taken.items():
        yield Batch(topic, "by-hand", partition, DEFAULT_PARTITIONS, records)


def _write(step: Step, partition: int, producer: Producer) -> None:
    """All of a step, to topics of its own."""
    own = os.environ["BENCH_OUTPUT"]
    for output in step.outputs:
        producer.produce(
            own,
            key=output.key,
            value=output.value,
            partition=partition,
            headers=list(output.headers),
        )
    for key, value in step.state.items():
        producer.produce(f"{own}-state", key=key, value=value, partition=partition)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main()
