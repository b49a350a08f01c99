"""Hostile payloads through a real worker: every offset is accounted for, exactly once.

    python -m tests.chaos.fuzz --seed 1 --payloads 100000

The payloads of tests/chaos/hostile.py and some of 10 MB go to `events` (whose limit is raised
for that), through one real scorer. Then, per partition and offset, predictions + rejects +
events that the control record counts without an answer (duplicates, orphans, withdrawals, ...)
must be the input: `lost` and `twice` are 0, and the worker neither stalled nor ended. One JSON
line on stdout; status 0 if so, 1 if not.
"""

import argparse
import hashlib
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from stream_app.contract import topics, wire
from stream_app.contract.rejects import RejectCode
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENT_BYTES_MAX, EVENTS, full_name
from stream_app.shell.settings import StreamSettings
from stream_app.stages.step import CONTROL_KEY, read_control
from tests import champions
from tests.chaos import bundles, committed, crew, feed, hostile, node, oracle, run
from tests.chaos.crew import Slot
from tests.chaos.hostile import Payload
from tests.chaos.progress import Progress
from tests.chaos.schedule import SCORER
from tests.integration.brokers import plain_environment

_LARGE_BYTES = 10 * EVENT_BYTES_MAX
_LARGE_COUNT = 3
_APPLIED_WITHIN_S = 600.0


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Where the input went."""

    seed: int
    payloads: int
    predictions: int
    rejects: int
    counted: int  # believed or known, but without an answer of their own
    lost: int  # offsets that left no trace
    twice: int  # offsets with more than one
    rejects_by_code: dict[str, int]
    too_large_ok: int  # of the large ones: rejected with their hash and size
    wrong: int  # what the oracle would have otherwise, see tests/chaos/oracle.py
    worker_exit: int
    duration_s: float

    @property
    def ok(self) -> bool:
        return (
            self.lost + self.twice + self.wrong + self.worker_exit == 0
            and self.too_large_ok == _LARGE_COUNT
            and self.predictions + self.rejects + self.counted == self.payloads
        )


def payloads(seed: int, count: int) -> Iterator[Payload]:
    """`count` of all families, the large ones among them."""
    draw = random.Random(f"fuzz {seed}")
    large = {count * (place + 1) // (_LARGE_COUNT + 1) for place in range(_LARGE_COUNT)}
    for number in range(count):
        if number in large:
            yield hostile.too_large(draw, _LARGE_BYTES)
        else:
            yield hostile.draw_one(draw)


def fuzz(kafka: KafkaSettings, folder: Path, seed: int, count: int) -> Account:
    """Send, wait until a worker has applied all, and account for it."""
    started_s = time.monotonic()
    _allow_large(kafka)
    store = folder / "models"
    for market, shop in bundles.stock(store).items():
        bundles.swap(kafka, shop, market)
    settings = StreamSettings(model_store=str(store), trusted_key=champions.TRUSTED_KEY.hex())
    slot = Slot(SCORER, folder / "scorer.log", crew.command(SCORER), _environment(kafka, settings))
    try:
        slot.start()
        _send(kafka, payloads(seed, count))
        with Progress(kafka, run.PARTITIONS) as progress:
            run.until_applied(kafka, SCORER, EVENTS, progress, _APPLIED_WITHIN_S)
        status = slot.stop()
    finally:
        slot.close()
    duration_s = round(time.monotonic() - started_s, 1)
    return _account(kafka, settings, seed, count, status, duration_s)


def _environment(kafka: KafkaSettings, settings: StreamSettings) -> dict[str, str]:
    return plain_environment(
        {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "HOUSING_KAFKA_PREFIX": kafka.prefix,
            "HOUSING_STREAM_MODEL_STORE": settings.model_store,
            "HOUSING_STREAM_TRUSTED_KEY": settings.trusted_key,
        }
    )


def _allow_large(kafka: KafkaSettings) -> None:
    entry = ConfigEntry(
        "max.message.bytes", str(2 * _LARGE_BYTES), incremental_operation=AlterConfigOpType.SET
    )
    topic = full_name(kafka.prefix, EVENTS)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


def _send(kafka: KafkaSettings, sent: Iterator[Payload]) -> None:
    failed: list[str] = []
    producer = feed.producer(kafka)

    def note(error: object, _message: object) -> None:
        if error is not None:
            failed.append(str(error))

    for payload in sent:
        feed.send(producer, full_name(kafka.prefix, EVENTS), payload, note)
    assert producer.flush(120) == 0, "the broker does not confirm"
    assert not failed, f"{len(failed)} were not taken, the first: {failed[0]}"


def _account(
    kafka: KafkaSettings,
    settings: StreamSettings,
    seed: int,
    count: int,
    status: int,
    duration_s: float,
) -> Account:
    answered: Counter[tuple[int, int]] = Counter()  # partition, offset -> traces
    codes: Counter[str] = Counter()
    predictions = counted = fine = there = 0
    wrong = 0
    for partition in range(run.PARTITIONS):
        for message in committed.read(kafka, topics.PREDICTIONS, partition):
            if message.value() is not None:  # else the tombstone of an erasure
                predictions += 1
                answered[partition, wire.decode_prediction(message.value()).source_offset] += 1
        for message in committed.read(kafka, topics.REJECTS, partition):
            headers = dict(message.headers())
            codes[headers["code"].decode()] += 1
            answered[partition, int(headers["source_offset"])] += 1
            fine += _is_fine_large(headers, message.value())
        judged = oracle.judge_scorer(kafka, settings, partition)
        wrong += judged.tally.wrong
        there += judged.counts["events"]
        counted += _counted(kafka, partition)
    return Account(
        seed=seed,
        payloads=count,
        predictions=predictions,
        rejects=codes.total(),
        counted=counted,
        lost=there - len(answered) - counted,
        twice=sum(traces > 1 for traces in answered.values()),
        rejects_by_code=dict(codes.most_common()),
        too_large_ok=fine,
        wrong=wrong,
        worker_exit=status,
        duration_s=duration_s,
    )


def _counted(kafka: KafkaSettings, partition: int) -> int:
    """Events of the control record that leave neither a prediction nor a reject."""
    state = committed.folded(kafka, topics.STATE, partition)
    control = read_control(state)
    assert control is not None, f"no {CONTROL_KEY} record in partition {partition}"
    silent = ("duplicate", "outdated", "orphan", "withdrawn", "erased", "joined", "corrected")
    return sum(
        number for what, number in control.counts.items() if what.partition(":")[2] in silent
    )


def _is_fine_large(headers: dict[str, bytes], value: bytes | None) -> bool:
    """Whether this is the reject of a large one as it must be: hash and size, no bytes."""
    return (
        headers["code"].decode() == RejectCode.TOO_LARGE
        and int(headers["size"]) > _LARGE_BYTES
        and len(headers["sha256"]) == 2 * hashlib.sha256().digest_size
        and not value
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m tests.chaos.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--payloads", type=int, default=100_000, metavar="N")
    parsed = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        address, _own = stack.enter_context(node.broker(folder / "broker"))
        kafka = stack.enter_context(run.topics_of_its_own(address))
        account = fuzz(kafka, folder, parsed.seed, parsed.payloads)
    sys.stdout.write(msgspec.json.encode(account).decode() + "\n")
    return 0 if account.ok else 1


if __name__ == "__main__":
    sys.exit(main())
