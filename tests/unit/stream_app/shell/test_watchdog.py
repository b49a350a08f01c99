"""Standing still is a matter of progress: not of time alone, nor of silence."""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterable
from typing import NoReturn

import pytest

from stream_app.shell.watchdog import THE_GROUP, Looks, Seen, Watchdog

STALL_S = 10.0
EVERY_S = 1.0


class Ended(Exception):
    """Instead of the process."""


def end() -> NoReturn:
    raise Ended


def open_at(next_offset: int, end: int | None = 100) -> Seen:
    return Seen(assignment=1, next_offset=next_offset, end=end)


def still_s(looks: Iterable[Seen], partition: int = 3) -> float:
    """For how long, after these looks with a second between them."""
    memory = Looks(gap_max_s=2 * EVERY_S)
    for second, seen in enumerate(looks):
        memory.add({partition: seen}, second * EVERY_S)
    return memory.newest[partition].still_s


def test_a_lag_without_progress_counts() -> None:
    assert still_s([open_at(7)] * 6) == 5.0


def test_a_partition_that_never_opens_counts() -> None:
    assert still_s([Seen(1, None, 0)] * 6) == 5.0


def test_waiting_for_the_group_for_ever_counts() -> None:
    assert still_s([Seen(0, None, 100)] * 6, THE_GROUP) == 5.0


def test_idle_is_not_dead() -> None:
    assert still_s([open_at(100)] * 10_000) == 0.0


def test_any_progress_begins_the_time_anew() -> None:
    assert still_s([open_at(7)] * 6 + [open_at(8)]) == 0.0
    assert still_s([open_at(7)] * 6 + [Seen(2, 7, 100)]) == 0.0  # another assignment
    assert still_s([open_at(7)] * 6 + [open_at(100)] + [open_at(100, end=101)]) == 0.0


def test_while_the_broker_is_silent_the_time_stands_and_is_not_forgotten() -> None:
    silent = [open_at(7, end=None)] * 10_000

    assert still_s([open_at(7)] * 4 + silent) == 3.0
    assert still_s([open_at(7)] * 4 + silent + [open_at(7)] * 3) == 5.0
    assert open_at(7, end=None).lag is None


def test_a_process_that_was_paused_may_first_try() -> None:
    memory = Looks(gap_max_s=2 * EVERY_S)
    memory.add({0: open_at(7)}, 0.0)

    memory.add({0: open_at(7)}, 3_600.0)

    assert memory.newest[0].still_s == 2.0


def test_each_partition_is_judged_by_itself() -> None:
    memory = Looks(gap_max_s=2 * EVERY_S)
    for second in range(6):
        memory.add({0: open_at(second), 1: open_at(7)}, float(second))

    assert [memory.newest[p].still_s for p in (0, 1)] == [0.0, 5.0]


def watchdog(seen: Seen, stall_s: float = STALL_S) -> Watchdog:
    seconds = iter(range(1_000_000))
    return Watchdog(stall_s, lambda: {0: seen}, end, now_s=lambda: float(next(seconds)))


def look_often(dog: Watchdog) -> None:
    for _ in range(1_000):
        dog.look()


def test_who_stands_still_is_ended_and_the_log_says_where_every_thread_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dog = watchdog(open_at(7))

    with pytest.raises(Ended):
        look_often(dog)

    (said,) = (r for r in caplog.records if r.levelno == logging.CRITICAL)
    assert vars(said)["stalled"][0]["next_offset"] == 7
    assert "test_watchdog.py" in vars(said)["threads"]["MainThread"]


def test_with_no_limit_nothing_is_ended_however_long_it_stands() -> None:
    dog = watchdog(open_at(7), stall_s=float("inf"))

    look_often(dog)

    assert dog.newest[0].still_s > 50 * STALL_S


def test_a_log_that_hangs_does_not_save_the_process() -> None:
    stuck = threading.Event()

    class Stuck(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            stuck.wait(60)

    handler, log = Stuck(), logging.getLogger("stream_app.shell.watchdog")
    log.addHandler(handler)
    try:
        with pytest.raises(Ended):
            look_often(watchdog(open_at(7)))
    finally:
        log.removeHandler(handler)
        stuck.set()


# A step that never gives up the interpreter: not even the watchdog's own thread gets a turn.
HOG = """
import os, re, sys
from stream_app.shell.watchdog import Watchdog
Watchdog(float(sys.argv[1]), dict, lambda: os._exit(70), look_within_s=0.5).start()
re.match(r"(a+)+$", "a" * int(sys.argv[2]) + "b")
"""


def test_whoever_never_gives_up_the_interpreter_is_ended_from_outside_of_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HOG, "0.5", "64"], capture_output=True, check=False
    )

    assert ended.returncode == 1
    assert b"Timeout" in ended.stderr


def test_without_a_limit_the_interpreter_is_left_to_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HOG, "inf", "20"], capture_output=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
