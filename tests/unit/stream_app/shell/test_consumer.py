"""What the group is told, so that tools can show a lag. With Faust's consumer, without a broker."""

import asyncio
from collections.abc import Mapping

from faust.types import TP
from mode import Service

from stream_app.contract.settings import KafkaSettings
from stream_app.shell import consumer, worker
from stream_app.shell.chaos import nothing
from stream_app.shell.runner import Desk, Parts, Runner
from stream_app.shell.source import Source
from stream_app.stages.step import Record
from tests.fakes.publisher import FakePublisher
from tests.fakes.stage import Counting

SOURCE = Source("t.events", "id-1", 4)
FIRST = TP(SOURCE.topic, 0)


class Group(Service):
    """Stands in for the thread that talks to the broker."""

    def __init__(self) -> None:
        super().__init__()
        self.reads_from: dict[TP, int] = {}
        self.told: list[Mapping[TP, int]] = []

    def assignment(self) -> set[TP]:
        return {FIRST}

    async def go_on(self, assignment: int, positions: Mapping[TP, int]) -> None:
        self.reads_from |= positions

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        self.told.append(offsets)
        return True


def dead_workers_parts(_partition: int) -> Parts:
    """Of a worker that applied six records and died before it told anybody."""
    parts = Parts(FakePublisher(), {}, SOURCE, start=0)
    records = [Record(offset, b"a", b"", append_time_ms=1_000) for offset in range(6)]
    Desk(Counting(), 0, parts, nothing).settle(records, {})
    return parts


def test_what_a_dead_worker_applied_and_did_not_tell_is_told_by_the_next_one_once() -> None:
    async def take_over() -> Group:
        stage = Counting()
        runner = Runner(stage, SOURCE.topic, 100, dead_workers_parts, dict, nothing, print)
        group = Group()

        class WithoutBroker(consumer.Consumer):
            def _new_consumer_thread(self) -> Group:
                return group

        app = worker.faust_app(runner, KafkaSettings(), session_timeout_s=6)
        app.transport.Consumer = WithoutBroker
        await app.consumer.perform_seek()
        await app.consumer.commit()
        await app.consumer.commit()
        return group

    group = asyncio.run(take_over())

    assert group.reads_from == {FIRST: 6}
    assert group.told == [{FIRST: 6}]
