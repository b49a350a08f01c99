"""SIGTERM and Ctrl-C as a request to stop. The second Ctrl-C does not ask any more."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
BY_SIGNAL = 128  # plus the signal's number: a program's exit status, as shells have it


class Stop:
    """Whether, and by which signal, to stop."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self.signal_number: int | None = None

    def wait(self, within_s: float) -> bool:
        """Wait so long at most; true as soon as it is time to stop."""
        return self._told.is_set() if within_s <= 0 else self._told.wait(within_s)

    def tell(self, signal_number: int, frame: FrameType | None = None) -> None:  # noqa: ARG002 - a signal handler's arguments
        """Ask to stop."""
        if self._told.is_set():
            raise KeyboardInterrupt
        self.signal_number = signal_number
        self._told.set()


@contextmanager
def on_signals() -> Iterator[Stop]:
    """Take the signals for as long as the block runs."""
    stop = Stop()
    before = [(number, signal.signal(number, stop.tell)) for number in SIGNALS]
    try:
        yield stop
    finally:
        for number, handler in before:
            signal.signal(number, handler)
