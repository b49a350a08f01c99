"""Transport alone, by hand: confluent-kafka reads a batch and sends it on in one transaction.

After confluent's own example `eos_transactions.py`: the offsets are part of the transaction.
"""

import os
import signal
import sys

from confluent_kafka import Consumer, Producer

BATCH_MAX = 2_000

brokers, group = os.environ["BENCH_BROKERS"], os.environ["BENCH_GROUP"]
output = os.environ["BENCH_OUTPUT"]


def main() -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    producer = Producer({"bootstrap.servers": brokers, "transactional.id": group})
    producer.init_transactions(30)
    consumer.subscribe([os.environ["BENCH_EVENTS"]])
    while True:
        messages = [m for m in consumer.consume(BATCH_MAX, timeout=0.1) if m.error() is None]
        if not messages:
            continue
        producer.begin_transaction()
        for message in messages:
            producer.produce(output, key=message.key(), value=message.value())
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata()
        )
        producer.commit_transaction()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main()
