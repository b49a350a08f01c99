"""Workers with a part replaced by a wrong one, for the controls: the run must then go red.

Each bug is what somebody might build by mistake. A control that stays green would mean that
the oracle is blind, or that the faults never come at the moment that matters.
"""

import os
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec
from confluent_kafka import Consumer, TopicPartition

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, full_name
from stream_app.core import labels
from stream_app.shell import app, logs, settings, worker
from stream_app.shell.chaos import At, Point, nothing, planted, read_faults
from stream_app.shell.publisher import KafkaPublisher, Publisher
from stream_app.shell.runner import Parts, Runner, Stage
from stream_app.stages import scorer
from stream_app.stages.step import CONTROL_KEY, Step, read_control
from tests.chaos.schedule import SCORER, Fault, Kind, only
from tests.integration.split_worker import SplitPublisher

_ACKNOWLEDGED_WITHIN_S = 10.0
# Heeds SIGTERM while it loads, as the real command line does: loading takes seconds.
_PROGRAM = """\
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
from tests.chaos import controls
controls.main(sys.argv[1])
"""


class Control(msgspec.Struct, frozen=True):
    """A bug: what is replaced, and the faults that bring it to light."""

    what: str
    kind: Kind
    point: Point
    build: Callable[[KafkaSettings, settings.StreamSettings, At], Runner]


def _publisher(
    kafka: KafkaSettings, stage: Stage, partition: int, at: At, owner: str = ""
) -> KafkaPublisher:
    name = f"{stage.NAME}{owner}"
    return KafkaPublisher(kafka, name, stage.SOURCE, stage.STATE_TOPIC, partition, at)


def _state_outside(kafka: KafkaSettings, stream: settings.StreamSettings, at: At) -> Runner:
    def split(stage: Stage, partition: int) -> Publisher:
        return SplitPublisher(_publisher(kafka, stage, partition, nothing), at)

    return app.bootstrap(scorer, kafka, stream, split).runner


class _EarlyPublisher:
    """Tells a group what is done before it is."""

    def __init__(self, kafka: KafkaSettings, partition: int, inner: Publisher) -> None:
        self._inner = inner
        self._place = (full_name(kafka.prefix, EVENTS), partition)
        self._told = Consumer(
            {
                "bootstrap.servers": kafka.bootstrap_servers,
                "group.id": f"{kafka.prefix}.early",
                "enable.auto.commit": False,
            }
        )

    def commit(self, step: Step) -> None:
        offset = TopicPartition(*self._place, step.applied_offset + 1)
        self._told.commit(offsets=[offset], asynchronous=False)
        self._inner.commit(step)

    def close(self) -> None:
        self._inner.close()

    def acknowledged(self) -> int:
        """Offset after the last one that the group was told of; below 0 if none."""
        (found,) = self._told.committed([TopicPartition(*self._place)], _ACKNOWLEDGED_WITHIN_S)
        return int(found.offset)


def _early(kafka: KafkaSettings, stream: settings.StreamSettings, at: At) -> Runner:
    opened: dict[int, _EarlyPublisher] = {}

    def early(stage: Stage, partition: int) -> Publisher:
        opened[partition] = _EarlyPublisher(
            kafka, partition, _publisher(kafka, stage, partition, at)
        )
        return opened[partition]

    runner = app.bootstrap(scorer, kafka, stream, early).runner
    inner = runner._open_parts

    def from_group(partition: int) -> Parts:
        parts = inner(partition)
        control, offset = read_control(parts.state), opened[partition].acknowledged()
        if control is not None and offset > 0:
            control.applied_offset = offset - 1
            parts.state[CONTROL_KEY] = msgspec.msgpack.encode(control, order="deterministic")
        return parts

    runner._open_parts = from_group
    return runner


def _no_fencing(kafka: KafkaSettings, stream: settings.StreamSettings, at: At) -> Runner:
    def of_this_process(stage: Stage, partition: int) -> Publisher:
        return _publisher(kafka, stage, partition, at, f"-{os.getpid()}")

    return app.bootstrap(scorer, kafka, stream, of_this_process).runner


def _no_dedupe(kafka: KafkaSettings, stream: settings.StreamSettings, at: At) -> Runner:
    labels.unwanted = lambda *_: None
    return app.bootstrap(scorer, kafka, stream).runner


CONTROLS: Mapping[str, Control] = MappingProxyType(
    {
        "state-outside-transaction": Control(
            "outputs and state are committed one after the other",
            Kind.STEP_KILL,
            Point.AFTER_OUTPUTS,
            _state_outside,
        ),
        "acknowledge-before-commit": Control(
            "reading goes on from offsets that a group was told before the commit",
            Kind.STEP_KILL,
            Point.BEFORE_COMMIT,
            _early,
        ),
        "no-fencing": Control(
            "every worker has transactional ids of its own",
            Kind.ZOMBIE,
            Point.BEFORE_COMMIT,
            _no_fencing,
        ),
        "dedupe-off": Control(
            "an event that comes again is taken for a new one",
            Kind.SIGKILL,
            Point.BEFORE_COMMIT,
            _no_dedupe,
        ),
    }
)


def faults(name: str, seed: int, count: int) -> tuple[Fault, ...]:
    """The faults that bring a control's bug to light."""
    control = CONTROLS[name]
    return only(control.kind, SCORER, seed, count, control.point)


def command(name: str) -> tuple[str, ...]:
    """How a worker with that bug is started."""
    return (sys.executable, "-c", _PROGRAM, name)


def main(name: str) -> None:
    kafka, stream = settings.from_environment()
    logs.start(stream.log_level)
    runner = CONTROLS[name].build(kafka, stream, planted(read_faults(stream.chaos)))
    worker.run(runner, kafka, stream.session_timeout_s)
