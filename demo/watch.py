"""What a consumer of all topics makes of the records, one by one. No Kafka in here.

Keeps the account (account.py), the sales to judge (metrics.py) and how far the
stages are. A record of the same topic, partition and offset counts once, however
often the client reads it.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from demo import control, metrics
from demo.account import Account, Place, Totals
from demo.metrics import Errors, Judged
from stream_app.contract import topics, wire
from stream_app.contract.models import CorrectorAnnounced
from stream_app.contract.predictions import Prediction, Step
from stream_app.contract.rejects import Rejected
from stream_app.contract.topics import Topic

ROLLING = 1_000  # sales, or predictions, that "now" figures are taken over
SAMPLES = 3


class Received(NamedTuple):
    """One record, as a consumer got it."""

    topic: Topic
    partition: int
    offset: int
    at_ms: int  # the record's timestamp
    received_ms: float
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]


class View(NamedTuple):
    """What there is to show at one moment."""

    totals: Totals
    rolling: Errors  # over the newest sales of listings that a champion answered
    p50_ms: float | None  # over the newest predictions
    p99_ms: float | None
    champion: str | None  # newest activated, in any partition
    corrector: str | None  # newest announced
    lag: int | None
    samples: tuple[Prediction, ...]  # newest last


class Watch:
    """Changes in place; not safe between threads by itself."""

    @property
    def topics(self) -> Sequence[Topic]:
        """Those to be read for it."""
        return WATCHED

    def __init__(self, market: str) -> None:
        self.account = Account()
        self.judged: list[Judged] = []
        self.activated: dict[int, str | None] = {}  # partition -> champion of our market
        self.corrector: str | None = None
        self.answers_ms: list[float] = []  # when each prediction was received
        self.fast_answers = 0  # how many of them came before the paced part
        self.paced_from: dict[int, int] = {}  # partition -> offset of its first paced event
        self._market = market
        self._newest: deque[Place] = deque(maxlen=ROLLING)
        self._samples: deque[Prediction] = deque(maxlen=SAMPLES)
        self._learned: dict[int, int] = {}  # partition of outcomes -> offset learned from
        self._outcome_ends: dict[int, int] = {}
        self._positions: dict[tuple[str, int], int] = {}

    def take(self, record: Received) -> None:
        """Enter one record of any topic that is watched."""
        log = record.topic.name, record.partition
        if record.offset <= self._positions.get(log, -1):
            return
        self._positions[log] = record.offset
        self._enter(record)

    def _enter(self, record: Received) -> None:
        TAKERS[record.topic.name](self, record)

    def view(self) -> View:
        latencies = self.account.latencies_ms(self._newest)
        return View(
            totals=self.account.totals(),
            rolling=metrics.errors(self.judged[-ROLLING:]),
            p50_ms=metrics.quantile(latencies, 0.50),
            p99_ms=metrics.quantile(latencies, 0.99),
            champion=self.champion(),
            corrector=self.corrector,
            lag=self.account.lag(),
            samples=tuple(self._samples),
        )

    def end_fast(self) -> None:
        """What came as fast as it could has been answered: so much for throughput."""
        self.fast_answers = len(self.answers_ms)

    def begin_paced(self) -> None:
        """From here on latency tells how quick the system is, not how long the line was."""
        self.paced_from = self.account.next_offsets()
        self._newest.clear()

    def champion(self) -> str | None:
        """Version that was activated last, in any partition."""
        return next(reversed(self.activated.values()), None)

    def champion_partitions(self) -> int:
        """How many partitions serve our market with a champion."""
        return sum(version is not None for version in self.activated.values())

    def unlearned(self) -> int:
        """Offsets of outcomes that the learner has not applied yet."""
        return sum(
            max(0, end - self._learned.get(partition, -1))
            for partition, end in self._outcome_ends.items()
        )

    def _event(self, record: Received) -> None:
        decoded = wire.decode_event(record.value or b"")
        event = None if isinstance(decoded, Rejected) else decoded.event
        self.account.enter_event(Place(record.partition, record.offset), event, record.at_ms)

    def _prediction(self, record: Received) -> None:
        if record.value is None:
            return  # the tombstone of an erased listing
        prediction = wire.decode_prediction(record.value)
        self.account.enter_prediction(prediction, record.received_ms)
        self.answers_ms.append(record.received_ms)
        self._newest.append(Place(prediction.source_partition, prediction.source_offset))
        if prediction.step is Step.CHAMPION:
            self._samples.append(prediction)

    def _outcome(self, record: Received) -> None:
        self._outcome_ends[record.partition] = record.offset
        outcome = wire.decode_outcome(record.value or b"")
        is_new = self.account.enter_outcome(outcome)
        judged = metrics.judge(outcome)
        if is_new and judged is not None and not outcome.corrects:
            self.judged.append(judged)

    def _reject(self, record: Received) -> None:
        headers = record.headers
        place = Place(int(headers["source_partition"]), int(headers["source_offset"]))
        self.account.enter_reject(place)

    def _state(self, record: Received) -> None:
        if record.key == control.KEY and record.value is not None:
            self.account.enter_control(record.partition, control.decode(record.value))

    def _learner_state(self, record: Received) -> None:
        if record.key == control.KEY and record.value is not None:
            self._learned[record.partition] = control.decode(record.value).applied_offset

    def _activation(self, record: Received) -> None:
        activated = wire.decode_activated(record.value or b"")
        if activated.market == self._market:
            self.activated.pop(activated.partition, None)  # so that the newest comes last
            self.activated[activated.partition] = activated.champion

    def _model(self, record: Received) -> None:
        if record.value is None:
            return
        message = wire.decode_model_message(record.value)
        if isinstance(message, CorrectorAnnounced) and message.market == self._market:
            self.corrector = message.version


TAKERS: Mapping[str, Callable[[Watch, Received], None]] = {
    topics.EVENTS.name: Watch._event,
    topics.PREDICTIONS.name: Watch._prediction,
    topics.OUTCOMES.name: Watch._outcome,
    topics.REJECTS.name: Watch._reject,
    topics.STATE.name: Watch._state,
    topics.LEARNER_STATE.name: Watch._learner_state,
    topics.ACTIVATIONS.name: Watch._activation,
    topics.MODELS.name: Watch._model,
}
WATCHED: tuple[Topic, ...] = tuple(topic for topic in topics.TOPICS if topic.name in TAKERS)
