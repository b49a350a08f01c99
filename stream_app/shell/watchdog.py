"""Ends a process that stands still although there is something to do.

Theory of operation
-------------------
Every few seconds, in a thread of its own (the event loop may be what hangs), the
watchdog asks the broker where the assigned partitions end, in one request, and
looks where the worker is. A partition *stands still* while it has something to do
and nothing changes: no offset is applied, no assignment comes or goes. Something
to do is a lag, a partition that is assigned but not open, or no answer of the
group at all. When one has stood still for `stall_s`, the process ends with 70,
and a supervisor starts it anew.

- Idle is not dead: without a lag the time begins anew at each look. The lag is
  counted from the offset to apply next to the last stable offset, so markers of
  transactions and what an open transaction holds back are none.
- Unknown is neither zero nor a stall. While the broker does not answer, the time
  stops: a restart would not mend that, and clients come back by themselves.
- Code that never gives up the interpreter holds up this thread, too. A timer outside of
  Python, wound up anew before each look, then ends the process with 1.
- A process that was paused finds much time gone between two looks. It counts as
  one look's time, so that whoever wakes may first try.
"""

import faulthandler
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import NamedTuple, NoReturn

_log = logging.getLogger(__name__)

# Of partitions there is none yet: the name under which waiting for the group is watched.
THE_GROUP = -1
_LOOK_EVERY_S = 3.0
# A look takes some seconds when the broker is away; after this the watchdog itself hangs.
LOOK_WITHIN_S = 30.0
_SAY_WITHIN_S = 2.0


class Seen(NamedTuple):
    """One partition at one look."""

    assignment: int  # number of the assignment it belongs to
    next_offset: int | None  # to apply next; None: not open yet
    end: int | None  # last stable offset; None: the broker did not say

    @property
    def lag(self) -> int | None:
        """Offsets to apply; None: unknown. Markers of transactions may be among them."""
        if self.end is None or self.next_offset is None:
            return None
        return max(0, self.end - self.next_offset)

    @property
    def waits(self) -> bool | None:
        """Whether there is something to do; None: unknown."""
        return None if self.end is None else self.next_offset is None or self.lag != 0


class Still(NamedTuple):
    """A partition, and for how long it has stood still with something to do."""

    seen: Seen
    still_s: float = 0.0
    behind_s: float | None = None  # since there was nothing to do; None: there always was


class Looks:
    """What was seen last, and since when nothing has changed. Knows no clock and no broker."""

    def __init__(self, gap_max_s: float) -> None:
        self._gap_max_s = gap_max_s
        self._at_s = 0.0
        self.newest: Mapping[int, Still] = {}
        self.count = 0

    def add(self, seen: Mapping[int, Seen], now_s: float) -> None:
        """Take in a look at all partitions."""
        gap_s = min(now_s - self._at_s, self._gap_max_s)
        since_s = now_s - self._at_s
        self.newest = {
            p: Still(one, self._still_s(p, one, gap_s), self._behind_s(p, one, since_s))
            for p, one in seen.items()
        }
        self._at_s = now_s
        self.count += 1

    def _still_s(self, partition: int, now: Seen, gap_s: float) -> float:
        before = self.newest.get(partition)
        if before is None or now.waits is False or before.seen[:2] != now[:2]:
            return 0.0
        return before.still_s + (gap_s if before.seen.waits and now.waits else 0.0)

    def _behind_s(self, partition: int, now: Seen, since_s: float) -> float | None:
        before = self.newest.get(partition)
        if now.lag == 0:
            return 0.0
        return None if before is None or before.behind_s is None else before.behind_s + since_s


class Watchdog:
    """Looks, in a thread of its own; `newest` is what it saw, for whoever asks."""

    def __init__(
        self,
        stall_s: float,
        look: Callable[[], Mapping[int, Seen]],
        end: Callable[[], NoReturn],
        now_s: Callable[[], float] = time.monotonic,
        look_within_s: float = LOOK_WITHIN_S,
    ) -> None:
        self.stall_s = stall_s
        self.looked_s = now_s()
        self._look = look
        self._end = end
        self._now_s = now_s
        self._every_s = min(_LOOK_EVERY_S, stall_s / 4)
        self._held_up_s = stall_s + look_within_s
        self._looks = Looks(2 * self._every_s)

    @property
    def newest(self) -> Mapping[int, Still]:
        return self._looks.newest

    @property
    def looks(self) -> int:
        """How often it has looked."""
        return self._looks.count

    def start(self) -> None:
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            if self._held_up_s < threading.TIMEOUT_MAX:
                faulthandler.dump_traceback_later(self._held_up_s, exit=True)
            self.look()
            pause.wait(self._every_s)

    def look(self) -> None:
        """Look once; end the process when a partition has stood still for too long."""
        self._looks.add(self._look(), self._now_s())
        self.looked_s = self._now_s()
        stalled = {p: one for p, one in self.newest.items() if one.still_s >= self.stall_s}
        if stalled:
            _say(stalled)
            self._end()


def _say(stalled: Mapping[int, Still]) -> None:
    """Say which, and what every thread is at; but what hangs may be the log itself."""
    told = {
        "stalled": {
            p: {**one.seen._asdict(), "still_s": one.still_s} for p, one in stalled.items()
        },
        "threads": _threads(),
    }
    saying = threading.Thread(
        target=_log.critical, args=("standing still",), kwargs={"extra": told}, daemon=True
    )
    saying.start()
    saying.join(_SAY_WITHIN_S)


def _threads() -> dict[str, str]:
    """Where each thread is. Lines of code only: no value of any event."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        names.get(ident, str(ident)): "".join(traceback.format_stack(frame)[-8:])
        for ident, frame in sys._current_frames().items()
    }
