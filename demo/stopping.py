"""Ctrl-C, SIGTERM and a closed terminal as a request that is looked at, not an exception.

A handler that raises may do so anywhere: while a program is being started, so that
nobody knows of it, or in a hook of fork, where Python drops what is raised.
"""

import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BY_SIGNAL = 128  # plus the signal's number, as shells have it


class Stopped(Exception):
    """Somebody asked to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = BY_SIGNAL + number


class Stop:
    """Whether, and by which signal, to stop."""

    def __init__(self) -> None:
        self._number: int | None = None

    def listen(self) -> None:
        """Take the signals from now on; a second one changes nothing."""
        for number in SIGNALS:
            signal.signal(number, self.tell)

    def tell(self, number: int, _frame: FrameType | None = None) -> None:
        """Ask to stop."""
        self._number = self._number or number

    def check(self) -> None:
        """Go on, unless asked to stop.

        Raises
        ------
        Stopped : it was
        """
        if self._number is not None:
            raise Stopped(self._number)
