"""One process for each item, up to a number at once. Progress adds up; nothing outlives the caller.

A child hears no Ctrl-C: the parent does, and ends them all. A child whose parent has died
finds nobody to tell its progress to, and ends. What it sends back are plain values.
"""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, TypeVar

from offline.faults import WrongInput

Item = TypeVar("Item")
Result = TypeVar("Result")
Tell = Callable[[int], None]
Work = Callable[[Item, Tell], Result]

# Nothing of the parent is copied: neither threads nor open connections.
_CONTEXT = get_context("spawn")


class ChildDied(Exception):
    """A process ended without a result. Its own words are on standard error."""


class _Child(NamedTuple):
    process: BaseProcess
    place: int  # of its item


class _Done(NamedTuple):
    result: Any


def each(
    work: Work[Item, Result],
    items: Sequence[Item],
    processes: int,
    progress: Tell = lambda done: None,
) -> list[Result]:
    """Results in the order of the items; `progress` hears the sum of what is told of each.

    Raises
    ------
    WrongInput : as `work` raised it
    ChildDied : `work` raised anything else
    """
    done = [0] * len(items)

    def told(place: int, so_far: int) -> None:
        done[place] = so_far
        progress(sum(done))

    if processes == 1 or len(items) <= 1:
        return [work(item, partial(told, place)) for place, item in enumerate(items)]
    return _in_children(work, items, processes, told)


def _in_children(
    work: Work[Item, Result],
    items: Sequence[Item],
    processes: int,
    told: Callable[[int, int], None],
) -> list[Result]:
    waiting = list(enumerate(items))[::-1]
    running: dict[Connection, _Child] = {}
    results: dict[int, Result] = {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                heard, child = _start(work, *waiting.pop())
                running[heard] = child
            ready = connection.wait(list(running))
            for heard in [one for one in running if one in ready]:
                news = _hear(heard, running[heard])
                if isinstance(news, _Done):
                    child = running.pop(heard)
                    results[child.place] = news.result
                    child.process.join()
                else:
                    told(running[heard].place, news)
    finally:
        for child in running.values():
            child.process.terminate()
            child.process.join()
    return [results[place] for place in range(len(items))]


def _start(work: Work[Item, Result], place: int, item: Item) -> tuple[Connection, _Child]:
    heard, said = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_run, args=(work, item, said), daemon=True)
    with _interrupts_held():
        process.start()
    said.close()  # the child's alone: when it dies, nothing more is heard
    return heard, _Child(process, place)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A process that begins meanwhile never hears a Ctrl-C; ours is only put off."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _hear(heard: Connection, child: _Child) -> "int | _Done":
    try:
        news: int | _Done | WrongInput = heard.recv()
    except EOFError:
        child.process.join()
        raise ChildDied(
            f"the process of item {child.place} ended with {child.process.exitcode}, see above"
        ) from None
    if isinstance(news, WrongInput):
        raise news
    return news


def _run(work: Work[Item, Result], item: Item, said: Connection) -> None:
    """What a child does."""
    try:
        try:
            said.send(_Done(work(item, said.send)))
        except WrongInput as error:
            said.send(error)
    except BrokenPipeError:  # the parent has died
        sys.exit(1)
