"""Faust's consumer with three differences: what it reads, where it goes on, what it hands on.

It reads committed records only. It goes on where the runner's state says, not
where the group's offsets say. And it hands a whole fetch to the agent as one
message: Faust starts four tasks for each message, which was most of the cost of
a record. A fetch names the assignment it was made under and the offset before
it, so that the runner can see that nothing is missing. Relies on private parts of Faust 0.15.3 and aiokafka 0.14,
both pinned; tests/integration/test_exactly_once.py notices when they move.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream_app.shell.runner import Fetched, Runner
from stream_app.stages.step import Record

# A fetch that waits at an idle partition holds up the busy ones of the same broker.
_FETCH_WAIT_MS = 100
_POLL_S = 1.0


class ConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:  # noqa: ANN401 - untyped library
        consumer = super()._create_worker_consumer(transport)
        # Faust does so only in its own exactly_once mode.
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS
        return consumer


class Consumer(driver.Consumer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(*args, **kwargs)
        self._seeks = 0
        self._last: dict[TP, int] = {}  # offset of the last record fetched

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
        """Go on where the runner's state ends. Faust asks after each assignment."""
        return await self._runner.guarded(self._go_on())

    async def _go_on(self) -> Mapping[TP, int]:
        assigned = {tp.partition: tp for tp in self.assignment()}
        offsets = await self._runner.open(assigned)
        positions = {assigned[p]: offset for p, offset in offsets.items()}
        self._seeks += 1
        self._last = {tp: offset - 1 for tp, offset in positions.items()}
        await self.seek_wait(positions)
        return positions

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
            assignment, seeks = self._runner.assignment, self._seeks
            fetched, _active = await self._wait_next_records(_POLL_S)
            if seeks != self._seeks:
                continue  # fetched from where we stood before
            for tp, records in (fetched or {}).items():
                message = self._to_message(tp, records[-1])
                message.fetched = self._fetched(tp, assignment, records)
                await self.callback(message)

    def _fetched(self, tp: TP, assignment: int, records: Sequence[Any]) -> Fetched:
        after = self._last.get(tp, -1)
        self._last[tp] = records[-1].offset
        taken = [Record(r.offset, r.key, r.value, r.timestamp) for r in records]
        return Fetched(tp.partition, assignment, after, taken)


class Transport(driver.Transport):
    Consumer = Consumer


class App(faust.App):
    """A Faust app whose consumer asks a runner where to go on."""

    runner: Runner

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)
