"""Archives topics as Parquet: a consumer group whose memory is the archive itself.

Theory. The group shares the partitions between archivers, and does nothing else: no
offset is ever committed to it. On assignment each partition is read from the end of
its chain of manifests (chain.py), so what was published is never read again, and what
was not is. A range runs from position to position, since transaction markers and
aborted records take offsets but are no rows. Readers are `read_committed`: what an
aborted transaction wrote never gets here.

Before a range is published, the topic's id is looked at: records of a topic that was
recreated in the meantime must not go on the old chain.
"""

import secrets
import socket
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, TopicDescription

from monitoring import chain, erasures, rewrite
from monitoring.broker import NoBroker, no_answer
from monitoring.chain import RangeTaken, Source
from monitoring.erasures import Erased, Noted, Receipt
from monitoring.parts import Limits, Part, Progress
from monitoring.ranges import Span, encode_range
from monitoring.tables import LAYOUTS, Layout, Taken
from stream_app.contract.counts import counted
from stream_app.contract.rejects import SourceChanged
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, full_name, group_id

GROUP = "archiver"
CONSUME_MAX = 2_000
CONSUME_S = 0.25
BROKER_ANSWER_S = 20.0
ERASE_S = 0.25  # of each step, so that taking goes on meanwhile


class Archiver:
    """Takes records, publishes ranges. Build it, then call `step` until enough."""

    def __init__(
        self,
        kafka: KafkaSettings,
        limits: Limits,
        root: Path,
        *,
        session_timeout_s: float,
        tell: Callable[[str], None],
        reached: Callable[[str], None] = chain.nothing,
    ) -> None:
        self.progress = Progress()
        self._layouts: Mapping[str, Layout[Any]] = {
            full_name(kafka.prefix, layout.topic): layout for layout in LAYOUTS
        }
        self._limits, self._root, self._tell, self._reached = limits, root, tell, reached
        self._events = full_name(kafka.prefix, EVENTS)
        self._erased = Erased(root)
        self._erasing: Generator[None, None, Receipt] | None = None
        self._servers = kafka.bootstrap_servers
        self._parts: dict[tuple[str, int], Part] = {}
        self._size_bytes = 0
        self._opened_s = 0.0
        self._is_silent = False
        client = {
            "bootstrap.servers": kafka.bootstrap_servers,
            "log_level": 0,  # what matters of its log comes to `_broker_told`
            "error_cb": self._broker_told,
        }
        self._admin = AdminClient(client)
        self._consumer = Consumer(
            client
            | {
                "group.id": group_id(kafka.prefix, GROUP),
                "client.id": socket.gethostname(),  # so that a probe knows us in the group
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                # We always say where to begin. A position that the broker does not have
                # is a fault to look at, not a reason to jump.
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "partition.assignment.strategy": "roundrobin",
                "session.timeout.ms": int(session_timeout_s * 1000),
            }
        )

    def start(self) -> None:
        """Join the group.

        Raises
        ------
        NoBroker : nobody answers, or a topic does not exist
        """
        try:
            self._topic_ids(self._layouts)
        except KafkaException as error:
            raise no_answer(self._servers, error) from None
        except SourceChanged as missing:  # as yet nothing can have changed under us
            raise NoBroker(str(missing)) from None
        self._consumer.subscribe(
            list(self._layouts),
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._lost,
        )

    def step(self) -> None:
        """Take what is there within a moment; publish when a limit is reached."""
        for message in self._consumer.consume(CONSUME_MAX, CONSUME_S):
            self._take(message)
        if self._is_due():
            self._try_flush()
        self.erase(ERASE_S)

    def erase(self, within_s: float) -> bool:
        """Go on with what was erased in our partitions; tell whether nothing is left to do."""
        if self._erasing is None:
            pending = self._erased.pending(self._is_mine)
            if not pending:
                return True
            self._tell(f"listings to erase: {len(pending)}; looking through the archive")
            self._erasing = erasures.erase(self._root, self._layouts, pending, self._reached)
        until_s = time.monotonic() + within_s
        try:
            while time.monotonic() < until_s:
                next(self._erasing)
        except StopIteration as end:
            self._erasing = None
            self._tell(f"rows erased: {end.value.rows}, ranges: {end.value.ranges}")
            return True
        return False

    def _is_mine(self, noted: Noted) -> bool:
        return (self._events, noted.partition) in self._parts

    def is_at_end(self) -> bool:
        """Tell whether partitions were assigned and nothing more was there when last asked."""
        return self.progress.assigned and all(part.at_end for part in self._parts.values())

    def was_at_end(self) -> bool:
        """Tell whether each assigned partition was read to its end at some time."""
        return self.progress.assigned and all(part.was_at_end for part in self._parts.values())

    def idle_s(self) -> float:
        """Tell how long no record came."""
        return time.monotonic() - self.progress.idle_since_s

    def words(self) -> str:
        """Tell what was done so far, in one line."""
        done = self.progress
        waiting = sum(len(part.records) for part in self._parts.values())
        at_end = sum(part.at_end for part in self._parts.values())
        return (
            f"{counted(done.rows, 'row')} in {counted(done.files, 'file')} ({done.size_bytes / 1e6:.1f} MB),"
            f" {waiting:,} waiting; at the end of {at_end} of {counted(len(self._parts), 'partition')}"
        )

    def flush(self) -> None:
        """Publish all open ranges."""
        self._publish([part for part in self._parts.values() if part.records])

    def close(self) -> None:
        """Leave the group; open ranges are published on the way out."""
        self._consumer.close()

    def _broker_told(self, error: KafkaError) -> None:
        """Tell once that nobody answers: librdkafka goes on trying, ten times a second."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not self._is_silent:
            self._is_silent = True
            self._tell(f"no broker answers at {self._servers}; trying on")

    def _take(self, message: Message) -> None:
        part = self._parts.get((message.topic(), message.partition()))
        error = message.error()
        if self._is_silent:
            self._is_silent = False
            self._tell("the broker answers again")
        if error is not None:
            self._note(error, part)
        elif part is not None:
            if self._size_bytes == 0:
                self._opened_s = time.monotonic()
            self._add(part, message)

    def _add(self, part: Part, message: Message) -> None:
        offset = message.offset()
        assert offset is not None  # noqa: S101 - a consumed record has one
        key, value, headers = message.key(), message.value(), message.headers() or ()
        part.records.append(
            Taken(part.source.partition, offset, message.timestamp()[1], key, value, headers)
        )
        part.next_offset = offset + 1
        part.at_end = False
        part.size_bytes += len(message)
        self._size_bytes += len(message)
        self.progress.idle_since_s = time.monotonic()

    def _note(self, error: KafkaError, part: Part | None) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            if part is not None:
                part.at_end = part.was_at_end = True
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise SourceChanged(
                f"{error.str()}; records were deleted before they were archived: start again"
            )
        elif not error.retriable():
            raise KafkaException(error)

    def _try_flush(self) -> None:
        """Publish; when the broker cannot be asked for the topics' ids, try later again."""
        try:
            self.flush()
        except KafkaException as error:
            self._tell(f"cannot publish now: {error.args[0].str()}; trying on")
            self._opened_s = time.monotonic()

    def _is_due(self) -> bool:
        rows = sum(len(part.records) for part in self._parts.values())
        return rows > 0 and (
            rows >= self._limits.rows
            or self._size_bytes >= self._limits.size_bytes
            or time.monotonic() - self._opened_s >= self._limits.age_s
        )

    def _publish(self, parts: list[Part]) -> None:
        if not parts:
            return
        ids = self._topic_ids({part.source.topic for part in parts})
        for part in parts:
            if ids[part.source.topic] != part.source.topic_id:
                raise SourceChanged(
                    f"topic {part.source.topic} was recreated: its id was"
                    f" {part.source.topic_id}, is {ids[part.source.topic]}; start again"
                )
        with rewrite.publishing(self._root):
            for part in parts:
                self._publish_one(part)
        self._size_bytes = sum(p.size_bytes for p in self._parts.values())

    def _publish_one(self, part: Part) -> None:
        span = Span(part.first_offset, part.next_offset, part.lost_to_offset)
        token = secrets.token_hex(4)
        now_ms = time.time_ns() // 1_000_000
        if part.source.topic == self._events:
            erasures.note(self._root, part.source, part.records)
        layout, erased = self._layouts[part.source.topic], self._erased.ids()
        manifest, contents = encode_range(
            layout, part.source, span, part.records, token, now_ms, erased
        )
        try:
            chain.publish(self._root, manifest, contents, token, self._reached)
        except RangeTaken as taken:
            self._tell(f"{taken}: another archiver was first; going on from its end")
            self.progress.yielded += 1
            self._rewind(part)
            return
        chain.sweep(self._root, part.source)
        part.begin(part.next_offset)
        self.progress.rows += manifest.rows
        self.progress.ranges += 1
        self.progress.files += len(contents)
        self.progress.size_bytes += sum(map(len, contents.values()))

    def _rewind(self, part: Part) -> None:
        begin = chain.end(self._root, part.source)
        part.begin(begin)
        part.at_end = False
        self._consumer.seek(TopicPartition(part.source.topic, part.source.partition, begin))

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        ids = self._topic_ids({partition.topic for partition in partitions})
        for partition in partitions:
            source = Source(partition.topic, ids[partition.topic], partition.partition)
            part = self._open(consumer, source)
            self._parts[partition.topic, partition.partition] = part
            partition.offset = max(part.first_offset, part.lost_to_offset)
        consumer.assign(partitions)
        self.progress.assigned = True
        self._tell(f"{counted(len(partitions), 'partition')} assigned")

    def _open(self, consumer: Consumer, source: Source) -> Part:
        swept = chain.sweep(self._root, source)
        if swept:
            self._tell(f"{source.topic}[{source.partition}]: {swept} leftover files removed")
        begin = chain.end(self._root, source)
        place = TopicPartition(source.topic, source.partition)
        low, high = consumer.get_watermark_offsets(place, timeout=BROKER_ANSWER_S)
        if begin > high:
            raise SourceChanged(
                f"{source.topic}[{source.partition}] ends at {high}, the archive at {begin}:"
                " the broker lost records; recreate the topic to go on"
            )
        if low > begin:
            self._tell(
                f"{source.topic}[{source.partition}]: offsets {begin} to {low} were deleted"
                " before they were archived"
            )
        return Part(source, begin, begin, max(low, begin))

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        going = {(partition.topic, partition.partition) for partition in partitions}
        self._publish([p for place, p in self._parts.items() if place in going and p.records])
        self._lost(_consumer, partitions)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            self._parts.pop((partition.topic, partition.partition), None)

    def _topic_ids(self, names: Iterable[str]) -> dict[str, str]:
        futures = self._admin.describe_topics(
            TopicCollection(list(names)), request_timeout=BROKER_ANSWER_S
        )
        return {name: _topic_id(name, future) for name, future in futures.items()}


def _topic_id(name: str, answer: Future[TopicDescription]) -> str:
    try:
        # As Kafka's own tools write it: a plain base64 may hold a slash.
        return str(answer.result().topic_id).replace("+", "-").replace("/", "_")
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise SourceChanged(
                f"topic {name} does not exist: create it with python -m stream_app topics create"
            ) from None
        raise
