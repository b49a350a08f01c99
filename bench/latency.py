"""From log-append to visible: events at a steady rate, the real worker, a `read_committed` reader.

The time begins with the broker's own append time of an event and ends when `consume` hands its
prediction to the reader; both clocks are that of this machine. Only listings cause predictions:
sales load the worker and are not timed. Who publishes goes by the clock, whether or not the worker
keeps up, so a worker that does not is told by latencies that grow, not by a lower load.

Broker, worker, publisher and reader share all cores, as on a small machine.
"""

import secrets
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
import numpy as np
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from msgspec import Struct

from bench import champion, contestants, load, pages
from bench.contestants import OURS
from bench.ground import Ground, ground, make_topics
from bench.machine import cores
from bench.results import Latency, Results
from bench.usage import usage
from demo.programs import Program
from stream_app.contract.topics import (
    DEFAULT_PARTITIONS,
    EVENTS,
    MODELS,
    PARTITIONER,
    PREDICTIONS,
    full_name,
)

_HISTORY = 8_000  # events before the clock starts: regions and ledger are not empty
_CAUGHT_UP_S = 120.0
_TICK_S = 0.001
_TAKE_MAX = 500


class Plan(Struct, frozen=True):
    """One load."""

    rate: int = 1_000  # events a second
    seconds: int = 20
    warm_up_s: int = 5  # at the same rate, not timed: a broker that was just started is slow
    with_champion: bool = True

    @property
    def name(self) -> str:
        return f"{self.rate}" if self.with_champion else f"{self.rate} without a champion"


class Place(NamedTuple):
    """Where an event stands in the log."""

    partition: int
    offset: int


class Visible(NamedTuple):
    """A prediction that the reader was given."""

    cause: Place
    written_ms: float  # from the append of its cause until the worker handed it to its client
    received_ms: float  # time of the day


class Work(NamedTuple):
    """What was done so far."""

    worker_cpu_s: float
    broker_cpu_s: float
    counted: Mapping[str, float]  # the worker's own page of metrics


class _Cause(Struct):
    """What is needed of a prediction; the decoder passes over the rest."""

    source_partition: int
    source_offset: int


_causes = msgspec.json.Decoder(_Cause)


def run(results: Results, plan: Plan) -> None:
    """Measure one load on a broker, and put what it came to into the results."""
    with ground(worker_cores=len(cores())) as on:
        models, prefix = champion.models(on), f"bench-{secrets.token_hex(3)}"
        make_topics(on, prefix)
        if plan.with_champion:
            load.publish(on.brokers, full_name(prefix, MODELS), models.messages)
        history, warm_up, timed = _events(plan)
        load.publish(on.brokers, full_name(prefix, EVENTS), history)
        worker = contestants.start(OURS, on, models, prefix)
        _await_applied(on, worker, len(history))
        pacer = Pacer(on.brokers, full_name(prefix, EVENTS))
        with reading(on.brokers, full_name(prefix, PREDICTIONS)) as seen:
            pacer.send(warm_up, plan.rate)
            before = _work(on, worker)
            pacer.appended_ms.clear()
            pacer.send(timed, plan.rate)
            after = _work(on, worker)
            _await_applied(on, worker, len(history) + len(warm_up) + len(timed))
    waits_ms = waits(pacer.appended_ms, seen)
    results.latency_ms[plan.name] = summed_up(waits_ms)
    results.stages[plan.name] = stages(pacer.appended_ms, seen, len(timed), before, after)


def _events(plan: Plan) -> tuple[Sequence[load.Message], ...]:
    """History, warm-up and what is timed."""
    real = load.real_events()
    first = _HISTORY + plan.rate * plan.warm_up_s
    last = first + plan.rate * plan.seconds
    told = list(load.told(real, 1 + last // len(real)))
    return told[:_HISTORY], told[_HISTORY:first], told[first:last]


class Pacer:
    """Publishes by the clock, as any publisher would, and notes when each event was appended."""

    def __init__(self, brokers: str, topic: str) -> None:
        self.appended_ms: dict[Place, int] = {}
        self._topic = topic
        self._producer = Producer({"bootstrap.servers": brokers, "partitioner": PARTITIONER})

    def send(self, messages: Sequence[load.Message], rate: int) -> None:
        """Send each in its time; return when all are in the log."""
        began_s, sent = time.perf_counter(), 0
        while sent < len(messages):
            due = int((time.perf_counter() - began_s) * rate)
            for message in messages[sent:due]:
                self._producer.produce(self._topic, on_delivery=self._note, **message._asdict())
            sent = max(sent, min(due, len(messages)))
            self._producer.poll(0)
            time.sleep(_TICK_S)
        self._producer.flush(30)

    def _note(self, _error: object, message: Message) -> None:
        _, at_ms = message.timestamp()
        self.appended_ms[Place(message.partition(), message.offset())] = at_ms


@contextmanager
def reading(brokers: str, topic: str) -> Iterator[list[Visible]]:
    """What a committed reader sees of the predictions from now on, each when it sees it."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "bench-latency",  # asked for, never used: we assign
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    consumer.assign([TopicPartition(topic, number) for number in range(DEFAULT_PARTITIONS)])
    seen: list[Visible] = []
    done = threading.Event()
    thread = threading.Thread(target=_read, args=(consumer, seen, done), name="reader")
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()
        consumer.close()


def _read(consumer: Consumer, seen: list[Visible], done: threading.Event) -> None:
    while not done.is_set():
        # Whatever comes first is not kept waiting for more.
        messages = consumer.consume(1, timeout=0.1) + consumer.consume(_TAKE_MAX, timeout=0)
        received_ms = time.time() * 1000
        seen += [_visible(one, received_ms) for one in messages if one.error() is None]


def _visible(message: Message, received_ms: float) -> Visible:
    cause = _causes.decode(message.value())
    written_ms = float(dict(message.headers())["latency_ms"])
    return Visible(Place(cause.source_partition, cause.source_offset), written_ms, received_ms)


def _await_applied(on: Ground, worker: Program, events: int) -> None:
    def applied() -> float:
        return pages.counted(worker).get("housing_batch_records_sum", 0.0)

    on.programs.await_(lambda: applied() >= events, _CAUGHT_UP_S, worker, "catch up", applied)


def _work(on: Ground, worker: Program) -> Work:
    of_broker_s = usage(on.broker.process.pid).cpu_s if on.broker else 0.0
    return Work(usage(worker.process.pid).cpu_s, of_broker_s, pages.counted(worker))


def waits(appended_ms: Mapping[Place, int], seen: Iterable[Visible]) -> list[float]:
    """From append to visible, of each prediction whose cause was timed."""
    return [one.received_ms - appended_ms[one.cause] for one in seen if one.cause in appended_ms]


def summed_up(waits_ms: Sequence[float]) -> Latency:
    p50, p90, p99 = (float(each) for each in np.percentile(waits_ms, [50, 90, 99]))
    return Latency(p50=p50, p99=p99, p90=p90, max=max(waits_ms))


def stages(
    appended_ms: Mapping[Place, int],
    seen: Sequence[Visible],
    events: int,
    before: Work,
    after: Work,
) -> dict[str, float]:
    """Where the time went, means; and what an event cost.

    A prediction is written when the step of its batch ends, and seen after the commit.
    """
    timed = [one for one in seen if one.cause in appended_ms]
    grown = _grown(before.counted, after.counted)
    batches = grown("batch_records_count")
    step_ms = 1_000 * grown("step_seconds_sum") / batches
    written_ms = statistics.fmean(one.written_ms for one in timed)
    return {
        "until_step_ms": written_ms - step_ms,
        "step_ms": step_ms,
        "commit_ms": 1_000 * grown("commit_seconds_sum") / batches,
        "step_to_seen_ms": statistics.fmean(waits(appended_ms, seen)) - written_ms,
        "events_per_batch": grown("batch_records_sum") / batches,
        "worker_cpu_us_per_event": 1e6 * (after.worker_cpu_s - before.worker_cpu_s) / events,
        "broker_cpu_us_per_event": 1e6 * (after.broker_cpu_s - before.broker_cpu_s) / events,
    }


def _grown(before: Mapping[str, float], after: Mapping[str, float]) -> Callable[[str], float]:
    return lambda name: after[f"housing_{name}"] - before[f"housing_{name}"]
