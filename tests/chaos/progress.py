"""How far each stage has come, as a committed reader sees it: the newest control records."""

import threading
import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import LEARNER_STATE, STATE, full_name
from stream_app.shell.region_store import reader_config
from stream_app.stages.step import CONTROL_KEY, Control, Roster, read_control
from tests.chaos.schedule import LEARNER, SCORER

_STATE_TOPICS = MappingProxyType({SCORER: STATE, LEARNER: LEARNER_STATE})
_SILENCE_S = 5.0
_KEY = CONTROL_KEY.encode()


class Progress:
    """A thread that follows the state topics; brokers may come and go."""

    def __init__(self, kafka: KafkaSettings, partitions: int) -> None:
        self._stages = {full_name(kafka.prefix, t): stage for stage, t in _STATE_TOPICS.items()}
        self._kafka = kafka
        self._next = {
            (topic, number): OFFSET_BEGINNING
            for topic in self._stages
            for number in range(partitions)
        }
        self._controls: dict[tuple[str, int], Control] = {}
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(10)

    def applied(self, stage: str) -> dict[int, int]:
        """Newest applied offset of each partition that has one."""
        with self._changed:
            return {p: c.applied_offset for (s, p), c in self._controls.items() if s == stage}

    def served(self, stage: str) -> dict[int, Mapping[str, Roster]]:
        """Which versions serve each market, by partition."""
        with self._changed:
            return {p: c.served for (s, p), c in self._controls.items() if s == stage}

    def await_beyond(
        self, stage: str, before: Mapping[int, int], partitions: Iterable[int], within_s: float
    ) -> bool:
        """Wait until all of these partitions have committed more than they had `before`."""
        wanted = set(partitions)

        def gone_on() -> bool:
            return all(
                (stage, p) in self._controls
                and self._controls[stage, p].applied_offset > before.get(p, -1)
                for p in wanted
            )

        with self._changed:
            return self._changed.wait_for(gone_on, within_s)

    def _follow(self) -> None:
        """Read with one client until it falls silent, then go on with a new one.

        The load never pauses for so long; but a client may, after its broker came back.
        """
        while not self._closing.is_set():
            consumer = Consumer(reader_config(self._kafka))
            consumer.assign([TopicPartition(*place, at) for place, at in self._next.items()])
            heard_s = time.monotonic()
            while time.monotonic() - heard_s < _SILENCE_S and not self._closing.is_set():
                if self._take(consumer.consume(5_000, timeout=0.05)):
                    heard_s = time.monotonic()
            consumer.close()

    def _take(self, messages: Iterable[Message]) -> bool:
        newest: dict[tuple[str, int], bytes] = {}
        for message in messages:
            if message.error() is None:
                self._next[message.topic(), message.partition()] = message.offset() + 1
                if message.key() == _KEY:
                    place = (self._stages[message.topic()], message.partition())
                    newest[place] = message.value()
        if newest:
            self._note(newest)
        return bool(newest)

    def _note(self, newest: Mapping[tuple[str, int], bytes]) -> None:
        with self._changed:
            for place, frozen in newest.items():
                control = read_control({CONTROL_KEY: frozen})
                assert control is not None
                self._controls[place] = control
            self._changed.notify_all()
