"""How fast a contestant is: by what it has committed, seen from outside, and never by its own word.

The offsets that its group has committed are looked at ten times a second (of one peer, the answers
it has published). Each time they have moved is a sample; from the first one after the warm-up to the last one, events over seconds is
the rate. So neither the start of a program counts, nor how often it commits.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from bench.contestants import Contestant
from bench.load import Message
from bench.results import Run
from bench.usage import usage
from demo.programs import Program
from stream_app.contract.topics import DEFAULT_PARTITIONS, EVENTS, full_name

WARM_UP_S = 2.0
POLL_S = 0.1
_EVENTS_MIN = 100  # the slowest peer does that in a second; fewer are no rate
_SILENCE_S = 45.0  # a start takes up to 10 s beside others, the slowest peer commits every second
_LAST_WORDS = 300  # letters of a log


class Failed(Exception):
    """A contestant ended or stands still; the text says which."""


class Sample(NamedTuple):
    at_s: float
    events: int  # committed so far
    cpu_s: float
    memory_mb: float
    broker_cpu_s: float = 0.0


def watch(
    program: Program,
    broker: Program | None,
    done: Callable[[], int],
    events: int,
    window_s: float,
) -> Run:
    """Watch until all `events` are done, or for `window_s` after the warm-up.

    Raises
    ------
    Failed : it ended, or committed nothing for long
    """
    samples: list[Sample] = []
    for sample in _samples(program, broker, done):
        samples.append(sample)
        if sample.events >= events or sample.at_s - samples[0].at_s >= WARM_UP_S + window_s:
            return run_of(samples, WARM_UP_S)
    raise AssertionError("samples end by an exception alone")


def run_of(samples: Sequence[Sample], warm_up_s: float) -> Run:
    """What was done between the first sample after the warm-up and the last one.

    A contestant that was through before it was warm is judged from its first sample on.

    Raises
    ------
    Failed : too little was seen
    """
    warm = [one for one in samples if one.at_s - samples[0].at_s >= warm_up_s]
    first, last = (warm if len(warm) > 1 else samples)[0], samples[-1]
    done = last.events - first.events
    if done < _EVENTS_MIN:
        raise Failed(f"committed only {done} events in {last.at_s - first.at_s:.1f} s")
    return Run(
        events=done,
        took_s=last.at_s - first.at_s,
        cpu_s=last.cpu_s - first.cpu_s,
        memory_mb=max(one.memory_mb for one in samples),
        broker_cpu_s=last.broker_cpu_s - first.broker_cpu_s,
    )


def progress(
    who: Contestant, brokers: str, prefix: str, messages: Sequence[Message]
) -> Callable[[], int]:
    """How to ask how many events a contestant is through with."""
    if who.commits:
        return committed_by(brokers, who.group(prefix), full_name(prefix, EVENTS))
    return answered_by(brokers, who.output(prefix), messages)


def answered_by(brokers: str, output: str, messages: Sequence[Message]) -> Callable[[], int]:
    """How to ask how many events lie before the last answer, of which each listing gets one."""
    listings = [n for n, each in enumerate(messages, 1) if b'"kind":"listing"' in each.value]
    consumer, places = _observer(brokers, "bench-observer"), _places(output)

    def ask() -> int:
        ends = [consumer.get_watermark_offsets(place, timeout=10) for place in places]
        answers = sum(end for _, end in ends)
        return listings[min(answers, len(listings)) - 1] if answers else 0

    return ask


def committed_by(brokers: str, group: str, topic: str) -> Callable[[], int]:
    """How to ask how many events of a topic a group has committed; its member we never become."""
    consumer, places = _observer(brokers, group), _places(topic)

    def ask() -> int:
        try:
            found = consumer.committed(places, timeout=10)
        except KafkaException:  # its coordinator is on the way
            return 0
        return sum(max(0, place.offset) for place in found)

    return ask


def _observer(brokers: str, group: str) -> Consumer:
    """A consumer that never subscribes. An admin client asked as often has crashed (librdkafka)."""
    return Consumer({"bootstrap.servers": brokers, "group.id": group, "log_level": 2})


def _places(topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(DEFAULT_PARTITIONS)]


def _samples(program: Program, broker: Program | None, done: Callable[[], int]) -> Iterator[Sample]:
    """A sample each time that more was committed."""
    pause = threading.Event()
    before, moved_s = 0, time.monotonic()
    for _ in itertools.count():
        now, at_s = done(), time.monotonic()
        if now > before:
            before, moved_s = now, at_s
            of_broker_s = usage(broker.process.pid).cpu_s if broker else 0.0
            yield Sample(at_s, now, *usage(program.process.pid), of_broker_s)
        elif program.process.poll() is not None:
            raise Failed(f"ended with status {program.process.returncode}: {_last_words(program)}")
        elif at_s - moved_s > _SILENCE_S:
            raise Failed(f"committed nothing for {_SILENCE_S:g} s: {_last_words(program)}")
        pause.wait(POLL_S)


def _last_words(program: Program) -> str:
    lines = program.log.read_text("utf-8", "replace").strip().splitlines() or ["it left no word"]
    return lines[-1][:_LAST_WORDS]
