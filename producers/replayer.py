"""Replays a history at a chosen pace. The sender, the clock and the waiting are passed in.

By default events that break a rule are sent as they are: a replay shows what the
scorer does with a real file, and its reject, with the original bytes, is part of
that. With `refuse` they stay here, and are counted.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from producers.judgement import judge
from producers.pace import Pace
from producers.post import Post, posted
from stream_app.contract.events import AnyEvent

# A crash makes a replay repeat at most what was sent in such a time.
SAVE_EVERY_S = 1.0
SHOW_EVERY_S = 0.1
WAIT_AT_MOST_S = 0.25  # so that a slow replay still saves, shows and stops in time
LOOK_EVERY = 64  # events between looks at the clock while behind


class Sending(Protocol):
    """The part of a Sender that a replay needs (sender.py)."""

    confirmed: int  # events confirmed without a gap

    def send_raw(self, event_id: str, region: str, raw: bytes) -> None: ...
    def settle(self) -> None: ...
    def flush(self) -> None: ...


class World(Struct, frozen=True):
    """What a replay needs of the outside."""

    clock_s: Callable[[], float]  # monotonic
    wall_ms: Callable[[], int]
    wait: Callable[[float], bool]  # up to so many seconds; true: stop
    show: Callable[[int], None]  # the position reached
    save: Callable[[int], None]  # the position confirmed


class Report(Struct, frozen=True, kw_only=True):
    """What a run came to."""

    resumed_at: int
    position: int  # of the whole replay, confirmed
    total: int
    sent: dict[str, int]  # by kind
    against_rules: dict[str, int]  # by code: sent to be rejected, or refused here
    refused: int
    seconds: float

    @property
    def complete(self) -> bool:
        return self.position == self.total

    @property
    def per_s(self) -> float:
        return sum(self.sent.values()) / self.seconds if self.seconds else 0.0


class Replayer:
    """One run over `events`, from `position` on. `run` may be called once."""

    def __init__(
        self,
        events: Sequence[AnyEvent | Post],
        sender: Sending,
        world: World,
        pace: Pace,
        *,
        position: int = 0,
        refuse: bool = False,
    ) -> None:
        self._events = events
        self._sender = sender
        self._world = world
        self._pace = pace
        self._resumed_at = position
        self._refuse = refuse
        self._reached = position
        # Where in `events` each sent one stood: refused ones leave gaps between.
        self._sent_ends: list[int] = []
        self._sent: Counter[str] = Counter()
        self._against_rules: Counter[str] = Counter()
        self._refused = 0
        self._saved_s = self._shown_s = 0.0

    def run(self) -> Report:
        """Send the rest, or until told to stop; whatever was sent is confirmed and saved.

        Raises
        ------
        Undelivered : (the sender's) what was confirmed before is saved
        """
        began_s = self._saved_s = self._shown_s = self._world.clock_s()
        try:
            for post in map(posted, self._events[self._resumed_at :]):
                if not self._until_due(post, began_s):
                    break
                self._take(post)
            self._sender.flush()
        finally:
            self._world.save(self._confirmed())
        self._world.show(self._reached)
        return self._report(self._world.clock_s() - began_s)

    def _until_due(self, post: Post, began_s: float) -> bool:
        """Wait for the event's time; false: told to stop."""
        count = self._reached - self._resumed_at
        span_ms = post.due_ms - posted(self._events[self._resumed_at]).due_ms
        due_s = began_s + self._pace.due_s(count, span_ms)
        now_s = self._world.clock_s()
        while now_s < due_s:
            self._look(now_s)
            if self._world.wait(min(due_s - now_s, WAIT_AT_MOST_S)):
                return False
            now_s = self._world.clock_s()
        if count % LOOK_EVERY == 0:
            self._look(now_s)
            return not self._world.wait(0)
        return True

    def _take(self, post: Post) -> None:
        broken = judge(post.raw, self._world.wall_ms()).code
        if broken is not None:
            self._against_rules[broken] += 1
        if broken is not None and self._refuse:
            self._refused += 1
            self._reached += 1
            return
        self._sender.send_raw(post.event_id, post.region, post.raw)
        # Only now: an event at which the sender fails is not behind us.
        self._reached += 1
        self._sent[post.kind] += 1
        self._sent_ends.append(self._reached)

    def _look(self, now_s: float) -> None:
        if now_s - self._shown_s >= SHOW_EVERY_S:
            self._shown_s = now_s
            self._world.show(self._reached)
        if now_s - self._saved_s >= SAVE_EVERY_S:
            self._saved_s = now_s
            self._sender.settle()
            self._world.save(self._confirmed())

    def _confirmed(self) -> int:
        """The position behind the last event confirmed without a gap."""
        confirmed = self._sender.confirmed
        if confirmed == len(self._sent_ends):
            return self._reached  # also over refused ones at the end
        return self._sent_ends[confirmed - 1] if confirmed else self._resumed_at

    def _report(self, seconds: float) -> Report:
        return Report(
            resumed_at=self._resumed_at,
            position=self._reached,
            total=len(self._events),
            sent=dict(sorted(self._sent.items())),
            against_rules=dict(sorted(self._against_rules.items())),
            refused=self._refused,
            seconds=seconds,
        )
