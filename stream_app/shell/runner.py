"""Runs a stage exactly once. No `if` about houses lives here, nor a name of Faust.

Theory of operation
-------------------
A source partition is *opened* by whoever is assigned it: its publisher first
(`init_transactions` fences the former owner and aborts what that left open),
then its state, read committed to its end, which can no longer move. The state
holds the control record, and that the last applied offset: reading goes on
after it, whatever the group's committed offsets say. They are only told to the
broker so that tools can show a lag.

A batch of records is *settled* in a fixed order: step, commit, remember,
acknowledge. The commit is one transaction of outputs, changed state and control
record, so a death at any point leaves either all of the batch or nothing of it,
and what comes again (offset <= applied) is skipped. Partitions settle side by
side, each in a thread; the next batch is collected meanwhile, but begins only
when this one has ended, so one partition never has two batches at work.

Nothing may be left out either: every record says which one came before it in
its log (`previous`; transaction markers leave holes in offsets), and if that is
not the last one taken, something between the broker and us dropped records.

On *release* (revocation, stop) nothing is taken any more, the running batch may
end within two seconds, the rest is aborted. Records that were fetched under an
assignment that is over carry its number and are ignored.

Any fault ends the process with 70, without clean-up: the supervisor starts it
anew, and opening mends everything. Only one fault is none: to be fenced on a
partition that is no longer ours.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import NamedTuple, NoReturn, Protocol, TypeVar

from stream_app.contract.topics import Topic
from stream_app.shell.chaos import At, Point
from stream_app.shell.publisher import Fenced, Publisher
from stream_app.shell.source import Source
from stream_app.stages.step import Batch, Record, Serving, State, Step, read_control

OUR_FAULT = 70  # EX_SOFTWARE of sysexits.h: start me again
_RELEASE_WITHIN_S = 2.0
_log = logging.getLogger(__name__)
T = TypeVar("T")


class RecordsMissing(Exception):
    """Records of the log did not reach us. Reading anew from the applied offset mends it."""


class Stage(Protocol):
    """What stages/scorer.py and stages/learner.py are."""

    NAME: str
    SOURCE: Topic
    STATE_TOPIC: Topic

    def advance(self, batch: Batch, state: State, serving: Mapping[str, Serving]) -> Step: ...


class Arrived(NamedTuple):
    """A record on its way to its partition."""

    partition: int
    assignment: int  # number of the assignment it was fetched under
    previous: int  # offset of the record before it in the log
    record: Record


class Parts(NamedTuple):
    """What one source partition needs."""

    publisher: Publisher
    state: dict[str, bytes]
    source: Source
    start: int  # where to begin when nothing was ever applied


class Desk:
    """One source partition in our hands."""

    def __init__(self, stage: Stage, partition: int, parts: Parts, at: At) -> None:
        control = read_control(parts.state)
        self.partition = partition
        self.applied = parts.start - 1 if control is None else control.applied_offset
        self._taken = self.applied
        self._stage = stage
        self._parts = parts
        self._state_view = MappingProxyType(parts.state)  # a stage cannot write to it
        self._at = at

    def take(self, arrived: Sequence[Arrived]) -> list[Record]:
        """Leave out what was taken before; see that nothing is missing.

        Raises
        ------
        RecordsMissing : the record before one of them never came
        """
        fresh = []
        for one in arrived:
            if one.record.offset <= self._taken:
                continue
            if one.previous > self._taken:
                raise RecordsMissing(
                    f"{self._parts.source.topic} partition {self.partition}: offset "
                    f"{one.record.offset} came after {self._taken}, {one.previous} never did"
                )
            self._taken = one.record.offset
            fresh.append(one.record)
        return fresh

    def settle(self, records: Sequence[Record], serving: Mapping[str, Serving]) -> Step:
        """Make a batch safe. The order is the promise: step, commit, remember.

        Raises
        ------
        Undelivered : nothing is known to be committed; the state is as it was
        """
        source = self._parts.source
        self._at(Point.BEFORE_STEP)
        batch = Batch(source.topic, source.topic_id, self.partition, source.partitions, records)
        step = self._stage.advance(batch, self._state_view, serving)
        self._parts.publisher.commit(step)
        _remember(step, self._parts.state)
        self.applied = step.applied_offset
        return step

    def close(self) -> None:
        self._parts.publisher.close()


def _remember(step: Step, state: dict[str, bytes]) -> None:
    for key, value in step.state.items():
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value


class Runner:
    """All partitions of one worker. Lives on the event loop; waits in threads."""

    def __init__(
        self,
        stage: Stage,
        topic: str,
        open_parts: Callable[[int], Parts],
        serving: Callable[[], Mapping[str, Serving]],
        at: At,
        on_applied: Callable[[int, Sequence[Record], Step], None],
        end: Callable[[int], NoReturn] = os._exit,
    ) -> None:
        self.stage = stage
        self.topic = topic  # full name of the source
        self._open_parts = open_parts
        self._serving = serving
        self._at = at
        self._on_applied = on_applied
        self._end = end
        self._desks: dict[int, Desk] = {}
        self._running: asyncio.Task[None] | None = None
        self._applied: dict[int, int] = {}
        self._closed = False
        self._lock = asyncio.Lock()  # opening and releasing, one at a time
        self._threads = ThreadPoolExecutor(thread_name_prefix=f"{stage.NAME}-partition")
        self.assignment = 0

    async def open(self, partitions: Iterable[int]) -> dict[int, int]:
        """Open what is not open yet; give the offset to read next from each partition."""
        async with self._lock:
            wanted = set() if self._closed else set(partitions)
            missing = sorted(wanted - self._desks.keys())
            opened = await asyncio.gather(*(self._in_thread(self._open_one, p) for p in missing))
            self._desks |= {desk.partition: desk for desk in opened}
            self._applied = {p: self._desks[p].applied for p in sorted(wanted)}
            _log.info("opened", extra={"partitions": missing, "applied": self._applied})
            return {p: applied + 1 for p, applied in self._applied.items()}

    async def take(self, arrived: Sequence[Arrived]) -> None:
        """Begin a batch as soon as the one before it has ended."""
        await self._settled()
        work = self._by_desk(arrived)
        if work:
            self._running = asyncio.create_task(self._settle_all(work))

    async def release(self) -> None:
        """Let go of all partitions: the running batch may end, the rest is aborted."""
        self.assignment += 1
        async with self._lock:
            desks, self._desks = self._desks, {}
            running, self._running = self._running, None
            if running is not None:
                await asyncio.wait([running], timeout=_RELEASE_WITHIN_S)
            await asyncio.gather(*(self._in_thread(desk.close) for desk in desks.values()))

    async def close(self) -> None:
        """Release all and open nothing any more."""
        self._closed = True
        await self.release()

    def acknowledged(self) -> Mapping[int, int]:
        """The last offset of each partition that is safe, also of those just released."""
        return self._applied

    async def guarded(self, work: Awaitable[T]) -> T:
        """Wait for `work`; whatever it raises ends the process."""
        try:
            return await work
        except Exception as error:
            self.fail(error)

    def fail(self, error: BaseException) -> NoReturn:
        """Say why, then end the process: a supervisor starts it anew."""
        _log.critical("ending with %d", OUR_FAULT, exc_info=error)
        logging.shutdown()
        self._end(OUR_FAULT)

    def _open_one(self, partition: int) -> Desk:
        return Desk(self.stage, partition, self._open_parts(partition), self._at)

    def _by_desk(self, arrived: Sequence[Arrived]) -> list[tuple[Desk, list[Record]]]:
        sorted_out: dict[int, list[Arrived]] = {}
        for one in arrived:
            if one.assignment == self.assignment:
                sorted_out.setdefault(one.partition, []).append(one)
        work = []
        for partition, ours in sorted_out.items():
            desk = self._desks.get(partition)
            fresh = desk.take(ours) if desk else []
            if desk and fresh:
                work.append((desk, fresh))
        return work

    async def _settled(self) -> None:
        if self._running is not None:
            await self._running

    async def _settle_all(self, work: Sequence[tuple[Desk, list[Record]]]) -> None:
        serving = self._serving()
        await asyncio.gather(*(self._settle_one(desk, fresh, serving) for desk, fresh in work))

    async def _settle_one(
        self, desk: Desk, records: Sequence[Record], serving: Mapping[str, Serving]
    ) -> None:
        try:
            step = await self._in_thread(desk.settle, records, serving)
            self._at(Point.BEFORE_ACK)
            self._applied[desk.partition] = step.applied_offset
            self._on_applied(desk.partition, records, step)
        except Fenced as error:
            if self._desks.get(desk.partition) is desk:
                self.fail(error)
            _log.info("fenced on a partition that is no longer ours", exc_info=error)
        except Exception as error:
            if self._desks.get(desk.partition) is desk:
                self.fail(error)
            _log.info("aborted on a partition that is no longer ours", exc_info=error)

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
