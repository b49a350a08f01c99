"""How much waits for this worker, and what it leaves out therefore. Asked for at each batch.

What a level is, and when it ends: stages/overload.py.
"""

import logging
from collections.abc import Callable, Mapping

from stream_app.contract.models import Overload
from stream_app.shell.watchdog import Still
from stream_app.stages import overload

_log = logging.getLogger(__name__)


class Load:
    """The level of one worker: all its partitions share its processor.

    Parameters
    ----------
    lag_events : how many events wait for it now
    limit_events : from how many on reasons are left out
    """

    def __init__(self, lag_events: Callable[[], int], limit_events: int) -> None:
        self._lag_events = lag_events
        self._limit_events = limit_events
        self._level = Overload.NONE

    def __call__(self) -> Overload:
        before, lag_events = self._level, self._lag_events()
        self._level = overload.level(lag_events, before, self._limit_events)
        if self._level is not before:
            _log.warning("overload", extra={"leaves_out": self._level, "lag": lag_events})
        return self._level


def lag_events(looked: Mapping[int, Still]) -> int:
    """Events that waited at the last look; a partition of which it is unknown has none."""
    return sum(one.seen.lag or 0 for one in looked.values())
