"""A market as it is served: the scorer's step, the learner, and the models between them.

The scorer's step runs over the log; its outcomes, when the sales come, feed the learner;
versions that it announces serve from the next batch on. Nothing is known early.

Not here: Kafka, partitions and workers. One partition holds all, so outcomes come in the
order of events, which is one of the orders that a real log could give.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from offline import log
from offline.dataset import Replay
from offline.learning import Learning
from offline.log import Cut, Partition
from stream_app.contract import topics
from stream_app.contract.models import CorrectorAnnounced, Handover, Policy, SegmentShift
from stream_app.scoring.champion import Champion
from stream_app.scoring.handover import handover
from stream_app.stages.step import Serving, Step


class Market:
    """One market's state, and who serves it."""

    def __init__(self, name: str, version_delay: int = 0) -> None:
        """`version_delay`: batches that a corrector version waits before it serves."""
        self.name = name
        self.champion: Champion | None = None
        self._handover: Handover | None = None
        self._scorer = Replay({})
        self._learning = Learning()
        self._corrector: CorrectorAnnounced | None = None
        self._waiting: deque[CorrectorAnnounced | None] = deque([None] * (version_delay + 1))

    def fork(self) -> "Market":
        """Another market with the same past, which goes on by itself."""
        other = Market(self.name)
        other.champion, other._handover = self.champion, self._handover
        other._scorer = Replay(dict(self._scorer.state))
        other._learning = self._learning.copy()
        other._corrector = self._corrector
        other._waiting = self._waiting.copy()
        return other

    def succeed(self, champion: Champion, told: Sequence[SegmentShift]) -> None:
        """Let another champion take over: it inherits the corrector, as at any promotion."""
        old, self.champion = self.champion, champion
        self._handover = handover(None if old is None else old.version, told)

    def counts(self) -> dict[str, int]:
        """Events so far by "kind:verdict"."""
        return self._scorer.counts()

    def advance(self, cut: Cut) -> Step:
        """Serve a batch, then learn from its outcomes; what the scorer's step came to."""
        self._corrector = self._waiting.popleft() or self._corrector
        policy = cut.policies.get(self.name, Policy())
        serving = Serving(self.champion, self._corrector, policy=policy, handover=self._handover)
        done = self._scorer.advance(cut.batch, {self.name: serving})
        values = [o.value for o in done.outputs if o.topic is topics.OUTCOMES]
        self._waiting.append(self._learning.learn(values))
        return done


def cuts(
    partition: Partition, market: str, span: Callable[[int], int]
) -> Iterator[tuple[Cut, int]]:
    """A market's batches, each within one span of event time; with it the span, never falling."""
    newest = 0
    found = log.batches(
        partition,
        wanted=lambda head: head.market == market,
        boundary=lambda head: span(head.event_time_ms),
    )
    for cut in found:
        newest = max(newest, span(cut.heads[0].event_time_ms))
        yield cut, newest
