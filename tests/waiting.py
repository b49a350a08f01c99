"""Waits for a condition with a deadline: what tests do where others would sleep."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_POLL_S = 0.05


def until(condition: Callable[[], T | None], within_s: float, what: str) -> T:
    """Ask until `condition()` is neither None, false nor empty, and return its answer.

    Raises
    ------
    AssertionError : it was not so `within_s` seconds; the message names `what`
    """
    deadline_s = time.monotonic() + within_s
    pause = threading.Event()
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline_s:
            raise AssertionError(f"not within {within_s:g} s: {what} (last answer: {answer!r})")
        pause.wait(_POLL_S)
