"""Gives one sink what it is owed: read, send, and only then commit.

Each sink has a consumer group of its own, so one that is away holds up nobody else, and what it
is owed is read from the topic again after a death. While a sink is away, reading goes on: an
alert that is acknowledged meanwhile is not sent any more.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from monitoring.alerting.notices import Parcel, id_of
from monitoring.alerting.outbox import Outbox, Storm
from monitoring.alerting.sinks import Away, Refused, Sink
from stream_app.contract.alerts import AnyAlertMessage

RETRY_FIRST_S = 1.0
# A receiver that has refused the same thing so often will not take it: what comes after may be
# of more use. It stays in our log, and on the topic.
REFUSALS_MAX = 3


class Read(NamedTuple):
    """One record; `message` is None of what is no message of ours."""

    offset: int
    message: AnyAlertMessage | None


class Source(Protocol):
    """The topic, as one sink reads it (topic.py)."""

    def committed(self) -> int | None:
        """The offset from which on the sink is owed; None: nothing was ever committed."""

    def poll(self) -> tuple[Sequence[Read], bool]:
        """What came within a moment, and whether it is all there is. From the beginning on."""

    def commit(self, offset: int) -> None: ...


class Pace(NamedTuple):
    """When to send at all, and when again."""

    storm: Storm
    retry_most_s: float


class Notifier:
    """One sink and its source."""

    def __init__(
        self,
        sink: Sink,
        source: Source,
        pace: Pace,
        *,
        now_s: Callable[[], float],
        wall_ms: Callable[[], int],
        tell: Callable[[str], None],
    ) -> None:
        self._sink, self._source, self._pace = sink, source, pace
        self._now_s, self._wall_ms, self._tell = now_s, wall_ms, tell
        self._outbox = Outbox(pace.storm, source.committed())
        self._done = self._outbox.owed_from
        self._at_end = False
        self._failures = self._refusals = 0
        self._again_s = float("-inf")
        self.sent = 0  # notices

    def step(self, *, last: bool = False) -> None:
        """Read what there is; send what is due, unless the sink was away a moment ago."""
        records, at_end = self._source.poll()
        for record in records:
            self._outbox.take(*record)
        if at_end and not self._at_end:
            self._at_end = True
            self._outbox.caught_up()
        # Not before all is known: what was acknowledged since must not be sent.
        if self._at_end and self._now_s() >= self._again_s:
            self._send(last=last)

    def is_done(self) -> bool:
        """Whether all that was there is read and nothing is owed."""
        return self._at_end and not self._outbox.waiting

    def owed(self) -> int:
        """How many notices wait."""
        return len(self._outbox.waiting)

    def _send(self, *, last: bool) -> None:
        while parcel := self._outbox.due(self._now_s(), self._wall_ms(), last=last):
            if not self._try(parcel):
                return
            self._outbox.sent(parcel, self._now_s())
            self._commit()
        self._commit()

    def _try(self, parcel: Parcel) -> bool:
        """Whether the sink is done with it."""
        try:
            self._sink.send(parcel)
        except Refused as refused:
            self._refusals += 1
            self._wait(str(refused))
            if self._refusals < REFUSALS_MAX:
                return False
            self._tell(f"{self._sink.name}: {id_of(parcel)} is left out, refused {self._refusals}x")
        except Away as away:
            self._wait(str(away))
            return False
        else:
            if self._failures:
                self._tell(f"{self._sink.name}: takes again")
            self.sent += len(parcel)
        self._failures = self._refusals = 0
        self._again_s = float("-inf")
        return True

    def _wait(self, why: str) -> None:
        # Beyond 2**16 s no pause is wanted: the exponent must not grow for ever.
        pause_s = min(RETRY_FIRST_S * 2 ** min(self._failures, 16), self._pace.retry_most_s)
        self._failures += 1
        self._again_s = self._now_s() + pause_s
        self._tell(f"{self._sink.name}: {why}; {self.owed()} wait, again in {pause_s:g} s")

    def _commit(self) -> None:
        done = self._outbox.done_offset()
        if done != self._done:
            self._source.commit(done)
            self._done = done
