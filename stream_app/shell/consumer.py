"""Faust's consumer with three differences: what it reads, where it goes on, what it hands on.

It reads committed records only. It goes on where the runner's state says, not
where the group's offsets say. And it hands a whole fetch to the agent as one
message: Faust starts four tasks for each message, which was most of the cost of
a record. A fetch names the assignment it was made under and the offset before
it, so that the runner can see that nothing is missing; and when the log's start moves past us,
it ends the process instead of going on there. Relies on private parts of Faust 0.15.3 and
aiokafka 0.14, both pinned; tests/unit/stream_app/shell/test_private_parts.py names them and goes
red when one has moved, test_exactly_once.py and test_lagging.py in tests/integration when one
does something else.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import faust
from aiokafka.consumer.fetcher import OffsetResetStrategy
from aiokafka.errors import OffsetOutOfRangeError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from stream_app.contract.rejects import SourceChanged
from stream_app.shell.reading import Spot
from stream_app.shell.runner import Fetched, Runner
from stream_app.shell.source import FRESH_START
from stream_app.stages.step import Record

# A fetch that waits at an idle partition holds up the busy ones of the same broker.
_FETCH_WAIT_MS = 100
_POLL_S = 1.0


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Fetches and seeks, both on the event loop of this thread: neither splits the other."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._assignment = 0
        self._last: dict[TP, int] = {}  # offset before which the log was fetched
        self._reading = cast(App, self.app).runner.reading

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Note what we were given, before anything can hang over it."""
        self._reading.assign(frozenset(tp.partition for tp in assigned))
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Note it only when all was let go: until then it is ours to finish."""
        await super().on_partitions_revoked(revoked)
        self._reading.assign(None)
        self._when_out_of_range(OffsetResetStrategy.EARLIEST)

    def _create_worker_consumer(self, transport: Any) -> Any:  # noqa: ANN401 - untyped library
        consumer = super()._create_worker_consumer(transport)
        # Faust does so only in its own exactly_once mode.
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS
        return consumer

    async def go_on(self, assignment: int, positions: Mapping[TP, int]) -> None:
        """Read on from these positions, in the name of this assignment."""
        await self.call_thread(self._go_on, assignment, positions)

    async def _go_on(self, assignment: int, positions: Mapping[TP, int]) -> None:
        ours = {tp: offset for tp, offset in positions.items() if tp in self.assignment()}
        self._assignment = assignment
        self._last = {tp: offset - 1 for tp, offset in ours.items()}
        await self._seek_wait(self._ensure_consumer(), ours)
        self._when_out_of_range(OffsetResetStrategy.NONE)

    def _when_out_of_range(self, strategy: int) -> None:
        """Until we have said where to begin, anywhere will do; after that, nothing may be skipped.

        aiokafka would go on at the log's new start without a word when records were deleted
        before we had them.
        """
        self._ensure_consumer()._fetcher._default_reset_strategy = strategy

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> dict[TP, list[Fetched]]:  # noqa: ANN401 - passed on
        try:
            fetched = await super()._fetch_records(*args, **kwargs)
        except OffsetOutOfRangeError as error:
            gone = ", ".join(
                f"{tp.topic} partition {tp.partition}, {o}" for tp, o in error.args[0].items()
            )
            cast(App, self.app).runner.fail(
                SourceChanged(
                    f"{gone}: this offset is not in the log any more: records were deleted before "
                    f"they were applied; restore the log (and raise retention.ms), or {FRESH_START}"
                )
            )
        chained = {tp: [self._chained(tp, records)] for tp, records in fetched.items()}
        self._note_positions()
        return chained

    def _note_positions(self) -> None:
        """After the records, so that no position is known before what lies below it."""
        subscribed = self._ensure_consumer()._subscription.subscription
        for tp, last in self._last.items():
            state = subscribed and subscribed.assignment and subscribed.assignment.state_value(tp)
            if state and state.has_valid_position:
                self._reading.note(tp.partition, Spot(last, state.position))

    def _chained(self, tp: TP, records: Sequence[Any]) -> Fetched:
        after = self._last.get(tp, -1)
        self._last[tp] = records[-1].offset
        ours = [Record(r.offset, r.key, r.value, r.timestamp) for r in records]
        return Fetched(tp.partition, self._assignment, after, ours)


class Consumer(driver.Consumer):
    @property
    def _runner(self) -> Runner:
        return cast(App, self.app).runner

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the runner finish or abort before anybody else may be assigned."""
        await self._runner.release()
        await super().on_partitions_revoked(revoked)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go on where the runner's state ends. Faust asks after each assignment.

        Give it nothing: it would take that for what the group was told. A worker that dies has
        often applied more than it told, and nobody else would tell it.
        """
        await self._runner.guarded(self._go_on())
        return {}

    async def _go_on(self) -> None:
        assigned = {tp.partition: tp for tp in self.assignment()}
        assignment, offsets = await self._runner.open(assigned)
        positions = {assigned[p]: offset for p, offset in offsets.items()}
        await self._thread.go_on(assignment, positions)

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ANN401, ARG002 - overridden
        """Tell the group what is safe. Nobody goes on from there: it shows our lag to tools."""
        safe = self._runner.acknowledged()
        topic = self._runner.topic
        news = {
            TP(topic, partition): offset + 1
            for partition, offset in safe.items()
            if offset >= 0 and self._committed_offset[TP(topic, partition)] != offset + 1
        }
        if not news or not await self._commit(news):
            return False
        self._committed_offset.update(news)
        return True

    async def _drain_messages(self, fetcher: Any) -> None:  # noqa: ANN401 - untyped library
        """Hand on one message per fetch and partition, instead of one per record."""
        while not (self.should_stop or fetcher.should_stop):
            await self._runner.room()
            fetches, _active = await self._wait_next_records(_POLL_S)
            for tp, (fetched,) in (fetches or {}).items():
                await self.callback(self._message(tp, fetched))

    def _message(self, tp: TP, fetched: Fetched) -> ConsumerMessage:
        last = fetched.records[-1]
        message = ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.append_time_ms / 1000,
            timestamp_type=1,
            headers=None,
            key=None,
            value=b"",
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )
        message.fetched = fetched
        return message


class Transport(driver.Transport):
    Consumer = Consumer


class App(faust.App):
    """A Faust app whose consumer asks a runner where to go on."""

    runner: Runner

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """No tables, so nothing to keep: Faust would make `<group>-data` where we were started,
        and in a container that place is read only.
        """
