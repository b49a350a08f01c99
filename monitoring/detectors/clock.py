"""A market's own time."""

from dataclasses import dataclass


@dataclass
class Clock:
    """The newest time that two rows have reached: one wrong date moves nothing."""

    time_ms: int = 0
    _newest_ms: int = 0

    def reach(self, at_ms: int) -> None:
        """Take in the time of a row."""
        self.time_ms = max(self.time_ms, min(self._newest_ms, at_ms))
        self._newest_ms = max(self._newest_ms, at_ms)
