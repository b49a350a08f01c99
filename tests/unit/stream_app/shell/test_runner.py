"""The order is the promise: step, commit, remember, acknowledge; and nothing is left out."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, cast

import pytest

from stream_app.contract.rejects import Undelivered
from stream_app.shell.chaos import Point, nothing
from stream_app.shell.publisher import Fenced
from stream_app.shell.runner import Applied, Desk, Fetched, Parts, RecordsMissing, Runner, Stage
from stream_app.shell.source import Source
from stream_app.stages.step import Batch, Record, Serving, State, Step
from tests.fakes.publisher import FakePublisher
from tests.fakes.stage import Counting

SOURCE = Source("t.events", "id-1", 4)


class Ended(Exception):
    """Instead of the process."""


def end(code: int) -> NoReturn:
    raise Ended(code)


def record(offset: int, key: str = "a", value: str = "") -> Record:
    return Record(offset, key.encode(), value.encode(), append_time_ms=1_000)


def records(first: int, last: int) -> list[Record]:
    return [record(offset) for offset in range(first, last + 1)]


def fetched(first: int, last: int, assignment: int = 0, after: int | None = None) -> Fetched:
    return Fetched(0, assignment, first - 1 if after is None else after, records(first, last))


def parts(publisher: FakePublisher, state: dict[str, bytes] | None = None) -> Parts:
    return Parts(publisher, {} if state is None else state, SOURCE, start=0)


def desk(publisher: FakePublisher, state: dict[str, bytes] | None = None) -> Desk:
    return Desk(Counting(), 0, parts(publisher, state), nothing)


def runner(
    publisher: FakePublisher,
    batch_max: int = 100,
    on_applied: Callable[[Applied], None] = lambda _: None,
    state: dict[str, bytes] | None = None,
    end: Callable[[int], NoReturn] = end,
    stage: Stage | None = None,
) -> Runner:
    return Runner(
        stage or Counting(),
        SOURCE.topic,
        batch_max,
        lambda _partition: parts(publisher, state),
        dict,
        nothing,
        on_applied,
        end,
    )


def run(work: Coroutine[Any, Any, None]) -> None:
    """On an event loop, for ten seconds at most."""
    asyncio.run(asyncio.wait_for(work, 10))


async def applied(worker: Runner, offset: int) -> None:
    """Wait until partition 0 has acknowledged this offset."""
    await so(lambda: worker.acknowledged()[0] >= offset)


async def so(condition: Callable[[], object]) -> None:
    """Wait until it is so; `run` sets the deadline."""
    while not condition():  # noqa: ASYNC110 - what it waits for knows no events
        await asyncio.sleep(0.001)


def test_a_settled_batch_is_committed_and_remembered() -> None:
    publisher, state = FakePublisher(), {"b": b"7"}

    at = desk(publisher, state)
    applied = at.settle([record(5), record(6, "b", value="a")], {})

    assert publisher.committed == [applied.step]
    assert (at.state_records, at.state_bytes) == (2, sum(len(k) + len(v) for k, v in state.items()))
    assert state.keys() == {"b", "control"}  # "a" was counted, then forgotten
    assert state["b"] == b"8"


def test_state_stays_as_it_was_when_the_commit_fails() -> None:
    state: dict[str, bytes] = {}
    at = desk(FakePublisher(broken=Undelivered("transaction aborted")), state)

    with pytest.raises(Undelivered):
        at.settle(records(0, 1), {})

    assert (state, at.applied) == ({}, -1)


def test_a_stage_cannot_write_to_the_state_it_is_given() -> None:
    class Writing(Counting):
        @staticmethod
        def advance(batch: Batch, state: State, serving: Mapping[str, Serving]) -> Step:
            cast(dict[str, bytes], state)["a"] = b"1"
            return Counting.advance(batch, state, serving)

    with pytest.raises(TypeError, match="item assignment"):
        Desk(Writing(), 0, parts(FakePublisher()), nothing).settle([record(0)], {})


def test_the_points_come_in_the_order_that_is_promised() -> None:
    passed: list[Point] = []

    Desk(Counting(), 0, parts(FakePublisher()), passed.append).settle([record(0)], {})

    assert passed == [Point.BEFORE_STEP, Point.BEFORE_ACK]  # those between are the publisher's


def test_a_new_desk_goes_on_after_what_its_state_has_applied() -> None:
    state: dict[str, bytes] = {}
    desk(FakePublisher(), state).settle(records(0, 4), {})

    assert desk(FakePublisher(), state).applied == 4


def test_a_log_that_lost_its_start_begins_where_it_begins() -> None:
    at = Desk(Counting(), 0, Parts(FakePublisher(), {}, SOURCE, start=40), nothing)

    assert at.applied == 39


def test_what_comes_again_is_skipped() -> None:
    at = desk(FakePublisher())

    at.take(fetched(0, 3))
    at.take(fetched(2, 5, after=1))

    assert [r.offset for r in at.waiting] == [0, 1, 2, 3, 4, 5]


def test_a_hole_in_the_offsets_is_none_in_the_log() -> None:
    at = desk(FakePublisher())

    at.take(fetched(0, 3))
    at.take(fetched(6, 7, after=3))  # 4 and 5 were transaction markers

    assert [r.offset for r in at.waiting] == [0, 1, 2, 3, 6, 7]


def test_records_that_never_came_are_missed() -> None:
    at = desk(FakePublisher())
    at.take(fetched(0, 3))

    with pytest.raises(
        RecordsMissing, match="what follows offset 5 came, but only offsets up to 3"
    ):
        at.take(fetched(6, 7))


def test_what_waits_during_a_commit_is_the_next_batch() -> None:
    publisher = FakePublisher(gate=threading.Event())

    async def scenario() -> None:
        worker = runner(publisher, batch_max=3)
        await worker.open([0])
        worker.take(fetched(0, 0))
        await asyncio.sleep(0)  # the first batch begins
        worker.take(fetched(1, 4))
        assert publisher.gate is not None
        publisher.gate.set()
        await applied(worker, 4)

    run(scenario())

    assert [len(step.outputs) for step in publisher.committed] == [1, 3, 1]


def test_what_was_applied_is_told_after_the_commit() -> None:
    publisher = FakePublisher()
    told: list[tuple[int, int, int]] = []

    async def scenario() -> None:
        worker = runner(
            publisher,
            on_applied=lambda batch: told.append(
                (batch.partition, len(batch.records), len(publisher.committed))
            ),
        )
        await worker.open([0])
        worker.take(fetched(0, 4))
        await applied(worker, 4)

    run(scenario())

    assert told == [(0, 5, 1)]


def test_opening_says_where_to_go_on_and_opens_nothing_twice() -> None:
    state: dict[str, bytes] = {}
    desk(FakePublisher(), state).settle(records(0, 4), {})

    async def scenario() -> None:
        worker = runner(FakePublisher(), state=state)
        assert await worker.open([0]) == (0, {0: 5})
        worker.take(fetched(5, 6))
        await applied(worker, 6)
        assert await worker.open([0]) == (0, {0: 7})

    run(scenario())


def test_fetches_of_an_assignment_that_is_over_are_ignored() -> None:
    publisher = FakePublisher()

    async def scenario() -> None:
        worker = runner(publisher)
        await worker.open([0])
        await worker.release()
        assert await worker.open([0]) == (1, {0: 0})
        worker.take(fetched(50, 60, assignment=0))
        worker.take(fetched(0, 1, assignment=1))
        await applied(worker, 1)

    run(scenario())

    assert len(publisher.committed) == 1


async def release_amid_a_batch(worker: Runner, publisher: FakePublisher) -> None:
    """The publisher holds the batch until the release has begun."""
    await asyncio.sleep(0)
    released = asyncio.create_task(worker.release())
    await asyncio.sleep(0)
    assert publisher.gate is not None
    publisher.gate.set()
    await released


def test_a_release_lets_the_running_batch_end_and_drops_the_rest() -> None:
    publisher = FakePublisher(gate=threading.Event())

    async def scenario() -> None:
        worker = runner(publisher, batch_max=2)
        await worker.open([0])
        worker.take(fetched(0, 5))
        await release_amid_a_batch(worker, publisher)
        assert worker.acknowledged() == {0: 1}

    run(scenario())

    assert [step.applied_offset for step in publisher.committed] == [1]
    assert publisher.closed


def test_after_closing_nothing_is_opened_any_more() -> None:
    async def scenario() -> None:
        worker = runner(FakePublisher())
        await worker.close()
        assert await worker.open([0]) == (1, {})

    run(scenario())


def test_a_fault_on_a_partition_of_ours_ends_the_process_with_70() -> None:
    await_end(runner(FakePublisher(broken=Fenced("a newer owner"))))


def test_a_fault_in_telling_what_was_applied_ends_the_process_too() -> None:
    def raise_(_batch: Applied) -> None:
        raise KeyError("anything")

    await_end(runner(FakePublisher(), on_applied=raise_))


def await_end(worker: Runner) -> None:
    """Give it a batch; it must end the process, not stop working in silence."""

    async def scenario() -> None:
        await worker.open([0])
        before = asyncio.all_tasks()
        worker.take(fetched(0, 0))
        (batch,) = asyncio.all_tasks() - before
        with pytest.raises(Ended, match="70"):
            await batch

    run(scenario())


def test_a_fault_on_a_partition_that_is_no_longer_ours_is_none() -> None:
    publisher = FakePublisher(broken=Fenced("a newer owner"), gate=threading.Event())

    async def scenario() -> None:
        worker = runner(publisher)
        await worker.open([0])
        worker.take(fetched(0, 0))
        await release_amid_a_batch(worker, publisher)

    run(scenario())  # `end` would have raised

    assert publisher.closed


def test_whatever_guarded_work_raises_ends_the_process() -> None:
    async def broken() -> None:
        raise KeyError("anything")

    async def scenario() -> None:
        with pytest.raises(Ended, match="70"):
            await runner(FakePublisher()).guarded(broken())

    run(scenario())


def test_no_more_is_fetched_while_much_waits() -> None:
    publisher = FakePublisher(gate=threading.Event())

    async def scenario() -> None:
        worker = runner(publisher, batch_max=1)
        await worker.open([0])
        await asyncio.wait_for(worker.room(), 1)
        worker.take(fetched(0, 20))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(worker.room(), 0.01)
        assert publisher.gate is not None
        publisher.gate.set()
        await asyncio.wait_for(worker.room(), 5)
        await applied(worker, 20)

    run(scenario())


class Meeting(Counting):
    """A stage whose step waits for another one to be taken at the same time."""

    def __init__(self) -> None:
        self._both = threading.Barrier(2)
        self.met = False

    def advance(self, batch: Batch, state: State, serving: Mapping[str, Serving]) -> Step:  # type: ignore[override]
        with contextlib.suppress(threading.BrokenBarrierError):
            self._both.wait(timeout=0.1)
            self.met = True
        return Counting.advance(batch, state, serving)


def test_steps_of_two_partitions_are_taken_in_turn() -> None:
    stage = Meeting()

    async def scenario() -> None:
        worker = runner(FakePublisher(), stage=stage)
        await worker.open([0, 1])
        worker.take(fetched(0, 0))
        worker.take(fetched(0, 0)._replace(partition=1))
        await so(lambda: worker.acknowledged() == {0: 0, 1: 0})

    run(scenario())

    assert not stage.met


def test_without_turns_they_would_be_taken_at_once() -> None:
    stage = Meeting()
    desks = [Desk(stage, partition, parts(FakePublisher()), nothing) for partition in (0, 1)]

    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda desk: desk.settle([record(0)], {}), desks))

    assert stage.met
