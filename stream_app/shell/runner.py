"""Runs a stage exactly once. No `if` about houses lives here, nor a name of Faust.

Theory of operation
-------------------
A source partition is *opened* by whoever is assigned it: its publisher first
(`init_transactions` fences the former owner and aborts what that left open),
then its state, read committed to its end, which can no longer move. The state
holds the control record, and that the last applied offset: reading goes on
after it, whatever the group's committed offsets say. They are only told to the
broker so that tools can show a lag.

Records are *taken* as they are fetched and wait at the desk of their partition.
A desk *settles* what waits there, up to `batch_max` records at once, in a fixed
order: step, commit, remember, acknowledge. The commit is one transaction of
outputs, changed state and control record, so a death at any point leaves either
all of the batch or nothing of it, and what comes again (offset <= applied) is
skipped. Desks work side by side, each in a thread, and each has one batch at
work at most. Steps are taken in turn, as the interpreter runs one thread at a
time anyway: sharing it would end all of them late. Commits wait for the broker
side by side. No timer is needed: without a lag a record is settled at once, and
with one the next batch gathers while this one commits.

Nothing may be left out either. Transaction markers leave holes in offsets, so
every fetch says after which offset it began. If the desk never took that far,
something between the broker and us dropped records.

On *release* (revocation, stop) nothing is taken any more, running batches may
end within two seconds, the rest is aborted. Every fetch carries the number of
the assignment in whose name reading began; what comes late from one that is
over is ignored.

Any fault ends the process with 70, without clean-up: the supervisor starts it
anew, and opening mends everything. Only one fault is none: to be fenced on a
partition that is no longer ours.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import NamedTuple, NoReturn, Protocol, TypeVar

from stream_app.contract.rejects import OurFault
from stream_app.contract.topics import Topic
from stream_app.shell.chaos import At, Point
from stream_app.shell.publisher import Publisher
from stream_app.shell.reading import Reading
from stream_app.shell.source import Source
from stream_app.stages.step import Batch, Control, Record, Serving, State, Step, read_control

EX_OUR_FAULT = 70  # EX_SOFTWARE of sysexits.h: start me again
_RELEASE_WITHIN_S = 2.0
# More is not fetched while so many batches wait. Two would keep every desk busy.
_BATCHES_WAITING = 8
_log = logging.getLogger(__name__)
T = TypeVar("T")
Turn = AbstractContextManager[object]  # held during a step
_ALONE: Turn = nullcontext()


class RecordsMissing(OurFault):
    """Records of the log did not reach us. Reading anew from the applied offset mends it."""


class Stage(Protocol):
    """What stages/scorer.py and stages/learner.py are."""

    NAME: str
    SOURCE: Topic
    STATE_TOPIC: Topic
    READS_MODELS: bool  # whether it wants to know what serves

    def advance(self, batch: Batch, state: State, serving: Mapping[str, Serving]) -> Step: ...


class Fetched(NamedTuple):
    """Records of one partition as they came, none left out between them."""

    partition: int
    assignment: int  # number of the assignment they were fetched under
    after: int  # offset before which the log was fetched already
    records: Sequence[Record]


class Applied(NamedTuple):
    """A batch that is safe."""

    partition: int
    records: Sequence[Record]
    step: Step
    step_s: float  # how long the step took
    commit_s: float  # and its transaction


class Parts(NamedTuple):
    """What one source partition needs."""

    publisher: Publisher
    state: dict[str, bytes]
    source: Source
    start: int  # where to begin when nothing was ever applied


class Desk:
    """One source partition in our hands."""

    def __init__(
        self, stage: Stage, partition: int, parts: Parts, at: At, turn: Turn = _ALONE
    ) -> None:
        control = read_control(parts.state)
        self.partition = partition
        self.applied = parts.start - 1 if control is None else control.applied_offset
        self.waiting: list[Record] = []
        self.running: asyncio.Task[None] | None = None
        self._taken = self.applied
        self._stage = stage
        self._parts = parts
        self._state = MappingProxyType(parts.state)  # a stage cannot write to it
        self._at = at
        self._turn = turn
        self.state_bytes = sum(len(key) + len(value) for key, value in parts.state.items())

    @property
    def state_records(self) -> int:
        return len(self._state)

    def control(self) -> Control | None:
        """The newest control record."""
        return read_control(self._state)

    def take(self, fetched: Fetched) -> None:
        """Let records wait, but for those that were taken before.

        Raises
        ------
        RecordsMissing : the ones before them never came
        """
        if fetched.after > self._taken:
            raise RecordsMissing(
                f"{self._parts.source.topic} partition {self.partition}: what follows offset "
                f"{fetched.after} came, but only offsets up to {self._taken} before it"
            )
        self.waiting += [r for r in fetched.records if r.offset > self._taken]
        self._taken = max(self._taken, fetched.records[-1].offset)

    def settle(self, records: Sequence[Record], serving: Mapping[str, Serving]) -> Applied:
        """Make a batch safe. The order is the promise: step, commit, remember.

        Raises
        ------
        Undelivered : nothing is known to be committed; the state is as it was
        """
        source = self._parts.source
        self._at(Point.BEFORE_STEP)
        batch = Batch(source.topic, source.topic_id, self.partition, source.partitions, records)
        with self._turn:
            began_s = time.perf_counter()
            step = self._stage.advance(batch, self._state, serving)
            stepped_s = time.perf_counter()
        self._parts.publisher.commit(step)
        committed_s = time.perf_counter()
        self.state_bytes += _remember(step, self._parts.state)
        self.applied = step.applied_offset
        self._at(Point.BEFORE_ACK)
        times_s = (stepped_s - began_s, committed_s - stepped_s)
        return Applied(self.partition, records, step, *times_s)

    def close(self) -> None:
        self._parts.publisher.close()


def _remember(step: Step, state: dict[str, bytes]) -> int:
    """Put what has changed into the state; give by how many bytes that grew."""
    grown = 0
    for key, value in step.state.items():
        before = state.pop(key, None) if value is None else state.get(key)
        grown -= 0 if before is None else len(key) + len(before)
        if value is not None:
            state[key] = value
            grown += len(key) + len(value)
    return grown


class Runner:
    """All partitions of one worker. Lives on the event loop; waits in threads."""

    def __init__(
        self,
        stage: Stage,
        topic: str,
        batch_max: int,
        open_parts: Callable[[int], Parts],
        serving: Callable[[], Mapping[str, Serving]],
        at: At,
        on_applied: Callable[[Applied], None],
        end: Callable[[int], NoReturn] = os._exit,
    ) -> None:
        self.stage = stage
        self.topic = topic  # full name of the source
        self.assignment = 0
        self.reading = Reading()
        self._batch_max = batch_max
        self._open_parts = open_parts
        self._serving = serving
        self._at = at
        self._on_applied = on_applied
        self._end = end
        self._desks: dict[int, Desk] = {}
        self._acknowledged: dict[int, int] = {}
        self._closed = False
        self._turn = threading.Lock()
        self._room = asyncio.Event()
        self._lock = asyncio.Lock()  # opening and releasing, one at a time
        self._threads = ThreadPoolExecutor(thread_name_prefix=f"{stage.NAME}-partition")

    async def open(self, partitions: Iterable[int]) -> tuple[int, dict[int, int]]:
        """Open what is not open yet.

        Give the number of this assignment, and from each partition the offset to read next.
        """
        async with self._lock:
            assignment = self.assignment
            wanted = set() if self._closed else set(partitions)
            missing = sorted(wanted - self._desks.keys())
            _log.info("opening", extra={"partitions": missing})
            opened = await asyncio.gather(*(self._in_thread(self._open_one, p) for p in missing))
            self._desks |= {desk.partition: desk for desk in opened}
            self._acknowledged = {p: self._desks[p].applied for p in sorted(wanted)}
            self._make_room()
            _log.info("opened", extra={"partitions": missing, "applied": self._acknowledged})
            return assignment, {p: applied + 1 for p, applied in self._acknowledged.items()}

    def take(self, fetched: Fetched) -> None:
        """Pass records on to their desk, and set it to work. Ignores what is not ours."""
        desk = self._desks.get(fetched.partition)
        if desk is None or fetched.assignment != self.assignment:
            return
        desk.take(fetched)
        self._make_room()
        if desk.running is None and desk.waiting:
            desk.running = asyncio.create_task(self._work_off(desk))

    async def room(self) -> None:
        """Wait until more records may be fetched."""
        await self._room.wait()

    async def release(self) -> None:
        """Let go of all partitions: running batches may end, the rest is aborted."""
        self.assignment += 1
        async with self._lock:
            desks, self._desks = self._desks, {}
            for desk in desks.values():
                desk.waiting.clear()
            running = [desk.running for desk in desks.values() if desk.running is not None]
            if running:
                await asyncio.wait(running, timeout=_RELEASE_WITHIN_S)
            await asyncio.gather(*(self._in_thread(desk.close) for desk in desks.values()))
            self._make_room()

    async def close(self) -> None:
        """Release all and open nothing any more."""
        self._closed = True
        await self.release()

    def acknowledged(self) -> Mapping[int, int]:
        """The last offset of each partition that is safe, also of those just released."""
        return self._acknowledged

    def next_offsets(self) -> dict[int, int | None]:
        """Of each partition assigned to us the offset to apply next; None: it is not open.

        Any thread may ask.
        """
        open_now = {p: self._desks.get(p) for p in self.reading.assigned.partitions or ()}
        return {
            p: None if desk is None else self.reading.next_to_apply(p, desk.applied)
            for p, desk in open_now.items()
        }

    def desks(self) -> Sequence[Desk]:
        """The partitions that are open. Any thread may ask."""
        return list(self._desks.values())

    async def guarded(self, work: Awaitable[T]) -> T:
        """Wait for `work`; whatever it raises ends the process."""
        try:
            return await work
        except Exception as error:
            self.fail(error)

    async def _work_off(self, desk: Desk) -> None:
        """Settle what waits at a desk, batch after batch."""
        while desk.waiting:
            records = desk.waiting[: self._batch_max]
            del desk.waiting[: self._batch_max]
            self._make_room()
            try:
                applied = await self._in_thread(desk.settle, records, self._serving())
                self._acknowledged[desk.partition] = desk.applied
                self._on_applied(applied)
            except Exception as error:
                if self._desks.get(desk.partition) is desk:
                    self.fail(error)
                # Aborted by release, or fenced by the new owner.
                _log.info("left a partition that is no longer ours", exc_info=error)
                return
        desk.running = None

    def _open_one(self, partition: int) -> Desk:
        return Desk(self.stage, partition, self._open_parts(partition), self._at, self._turn)

    def _make_room(self) -> None:
        waiting = sum(len(desk.waiting) for desk in self._desks.values())
        if waiting < _BATCHES_WAITING * self._batch_max:
            self._room.set()
        else:
            self._room.clear()

    def fail(self, error: BaseException | None) -> NoReturn:
        """Say why, then end the process: a supervisor starts it anew."""
        _log.critical("ending with %d", EX_OUR_FAULT, exc_info=error)
        logging.shutdown()
        self._end(EX_OUR_FAULT)

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
