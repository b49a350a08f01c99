"""How fast a replay goes. Arithmetic only: the clock is somebody else's."""

import re

from msgspec import Struct

_PER_SECOND = re.compile(r"(\d+(?:\.\d+)?)/s")
_TIMES = re.compile(r"(\d+(?:\.\d+)?)x")


class Pace(Struct, frozen=True):
    """One of the two is set; with neither, as fast as it goes."""

    per_s: float | None = None
    times_real: float | None = None

    def due_s(self, count: int, event_span_ms: int) -> float:
        """Seconds after the start at which an event is due.

        Parameters
        ----------
        count : events before it, since the start
        event_span_ms : event time since the first event of this run

        >>> Pace(per_s=1000).due_s(count=500, event_span_ms=0)
        0.5
        >>> Pace(times_real=3600).due_s(count=7, event_span_ms=7_200_000)
        2.0
        """
        if self.per_s is not None:
            return count / self.per_s
        if self.times_real is not None:
            return event_span_ms / 1000 / self.times_real
        return 0.0


def parse_pace(text: str) -> Pace:
    """Read `1000/s`, `500000x` or `max`.

    >>> parse_pace("500000x")
    Pace(per_s=None, times_real=500000.0)

    Raises
    ------
    ValueError : anything else, or a speed of zero
    """
    if text == "max":
        return Pace()
    per_s, times = _PER_SECOND.fullmatch(text), _TIMES.fullmatch(text)
    if per_s and float(per_s[1]) > 0:
        return Pace(per_s=float(per_s[1]))
    if times and float(times[1]) > 0:
        return Pace(times_real=float(times[1]))
    raise ValueError(f"{text!r}: 1000/s (events a second), 500000x (times real time) or max")
