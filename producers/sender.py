"""Publishes events so that none is lost or doubled without a word.

    with Sender(KafkaSettings()) as sender:
        sender.send(event)

`send` returns at once; events leave in batches. Leaving the `with` block, or
`flush()`, waits until the broker has confirmed every one. Delivery is
idempotent, acks=all, keyed by region, partitioned by murmur2 (kafka-python's
default). One sender may be used by one thread.
"""

from collections import deque
from collections.abc import Callable, Mapping
from time import time
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError

from producers.judgement import Verdict, judge
from producers.settings import ProducerSettings
from stream_app.contract import wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.rejects import RejectCode
from stream_app.contract.settings import BadSettings, KafkaSettings
from stream_app.contract.topics import EVENTS, RECORD_BYTES_MAX, Topic, full_name

# Some batches for each partition; what a crash makes a replay repeat at most.
UNCONFIRMED_MAX = 10_000
# Beyond the client's own time limit for a delivery, which must speak first.
GRACE_S = 5.0


class Refused(ValueError):
    """The scorer would reject this event, so it was not sent."""

    def __init__(self, event_id: str, code: RejectCode, detail: str) -> None:
        super().__init__(f"event {event_id!r} refused, {code}: {detail}")
        self.event_id = event_id
        self.code = code
        self.detail = detail


class Undelivered(RuntimeError):
    """The broker did not confirm an event. Those after it may not have arrived either."""


class Delivery(Protocol):
    """The part of kafka-python's future that is used here."""

    is_done: bool

    def get(self, timeout: float | None = None) -> object: ...


class Client(Protocol):
    """The part of kafka-python's producer that is used here."""

    def send(self, topic: str, *, key: bytes, value: bytes) -> Delivery: ...
    def flush(self, timeout: float | None = None) -> None: ...
    def close(self, timeout: float | None = None) -> None: ...


class _Sent(NamedTuple):
    event_id: str
    delivery: Delivery


def wall_clock_ms() -> int:
    """The time now, for the rule on events of the future."""
    return int(time() * 1000)


class Sender:
    """A typed client of `housing.events`."""

    def __init__(
        self,
        kafka: KafkaSettings,
        settings: ProducerSettings | None = None,
        *,
        client: Client | None = None,
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        settings = settings or ProducerSettings()
        refuse_unsafe(settings)
        self.topic = full_name(kafka.prefix, EVENTS)
        self.confirmed = 0  # events confirmed without a gap, from the first one on
        self._now_ms = now_ms
        self._within_s = settings.delivery_timeout_s + GRACE_S
        self._unconfirmed: deque[_Sent] = deque()
        self._client = client or _connect(kafka, settings)

    def send(self, event: AnyEvent) -> None:
        """Queue one event.

        Raises
        ------
        Refused : the scorer would reject it; nothing was sent
        Undelivered : an earlier event could not be delivered
        """
        raw = wire.encode(event)
        judgement = judge(raw, self._now_ms())
        if judgement.verdict is Verdict.REJECTED and judgement.code is not None:
            raise Refused(event.event_id, judgement.code, judgement.detail)
        self.send_raw(event.event_id, event.region, raw)

    def send_raw(self, event_id: str, region: str, raw: bytes) -> None:
        """Queue bytes as they are, for the scorer to judge; `event_id` is only for messages.

        Raises
        ------
        ValueError : there is no region to be the key
        Undelivered : this event or an earlier one could not be delivered
        """
        if not region:
            raise ValueError(f"event {event_id!r} has no region, which is the record's key")
        try:
            delivery = self._client.send(self.topic, key=region.encode(), value=raw)
        except KafkaError as error:
            raise self._undelivered(event_id, error) from error
        self._unconfirmed.append(_Sent(event_id, delivery))
        if len(self._unconfirmed) >= UNCONFIRMED_MAX:
            self._confirm_oldest()

    def settle(self) -> None:
        """Count in `confirmed` what the broker has confirmed meanwhile, without waiting.

        Raises
        ------
        Undelivered : an event could not be delivered
        """
        while self._unconfirmed and self._unconfirmed[0].delivery.is_done:
            self._confirm_oldest()

    def flush(self) -> None:
        """Wait until every event so far is confirmed.

        Raises
        ------
        Undelivered : an event could not be delivered
        """
        while self._unconfirmed:
            self._confirm_oldest()

    def close(self, within_s: float) -> None:
        """Let go of the connection. What is not confirmed by then may be lost: see flush."""
        try:
            self._client.close(timeout=within_s)
        except KafkaError:
            # Flush has told what is undelivered; there is nothing left to save.
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self.close(GRACE_S if kind is None else 0.0)

    def _confirm_oldest(self) -> None:
        sent = self._unconfirmed[0]
        try:
            sent.delivery.get(timeout=self._within_s)
        except KafkaError as error:
            raise self._undelivered(sent.event_id, error) from error
        self._unconfirmed.popleft()
        self.confirmed += 1

    def _undelivered(self, event_id: str, error: KafkaError) -> Undelivered:
        return Undelivered(f"event {event_id!r} was not delivered to {self.topic}: {error}")


def refuse_unsafe(settings: ProducerSettings) -> None:
    """Refuse settings with which an event can be lost or doubled unseen.

    Raises
    ------
    BadSettings : naming each of them
    """
    mistakes = []
    if settings.acks not in ("all", "-1"):
        mistakes.append(
            f"HOUSING_PRODUCERS_ACKS: {settings.acks!r}: only 'all' is safe; with less, "
            "a broker that dies takes confirmed events with it"
        )
    if not settings.idempotence:
        mistakes.append(
            "HOUSING_PRODUCERS_IDEMPOTENCE: false: a repeated request would double its events"
        )
    if mistakes:
        raise BadSettings("\n".join(mistakes))


def topic_id(kafka: KafkaSettings, settings: ProducerSettings, of: Topic = EVENTS) -> str:
    """The id that the broker gave a topic when it was created.

    Raises
    ------
    Undelivered : no broker answers, or there is no such topic
    """
    topic = full_name(kafka.prefix, of)
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=kafka.bootstrap_servers,
            bootstrap_timeout_ms=int(settings.connect_timeout_s * 1000),
        )
    except KafkaError as error:
        raise unreachable(kafka, error) from error
    try:
        (told,) = admin.describe_topics([topic])
    except KafkaError as error:
        raise Undelivered(f"topic {topic} at {kafka.bootstrap_servers}: {error}") from error
    finally:
        admin.close()
    if told["error_code"]:
        raise Undelivered(
            f"there is no topic {topic} at {kafka.bootstrap_servers}: "
            "create it with `python -m stream_app topics create`"
        )
    return str(told["topic_id"])


def unreachable(kafka: KafkaSettings, error: KafkaError) -> Undelivered:
    """Say which broker does not answer."""
    return Undelivered(f"no Kafka answers at {kafka.bootstrap_servers}: {error}")


class _Producer(KafkaProducer):
    """Without the second close at the end, which tells a failure again as a traceback."""

    def __del__(self) -> None:
        return


def _connect(kafka: KafkaSettings, settings: ProducerSettings) -> Client:
    topic_id(kafka, settings)  # the producer itself would look for a missing topic for a minute
    try:
        client: Client = _Producer(
            bootstrap_servers=kafka.bootstrap_servers,
            bootstrap_timeout_ms=int(settings.connect_timeout_s * 1000),
            **_delivery(settings),
        )
    except KafkaError as error:
        raise unreachable(kafka, error) from error
    return client


def _delivery(settings: ProducerSettings) -> Mapping[str, object]:
    delivery_timeout_ms = int(settings.delivery_timeout_s * 1000)
    return {
        "acks": "all",
        "enable_idempotence": True,
        "allow_auto_create_topics": False,  # it would have the broker's default settings
        "linger_ms": settings.linger_ms,
        "batch_size": settings.batch_bytes,
        "max_request_size": RECORD_BYTES_MAX,
        "delivery_timeout_ms": delivery_timeout_ms,
        # The client wants room for the linger and one request within a delivery.
        "request_timeout_ms": min(30_000, max(1, delivery_timeout_ms - settings.linger_ms)),
        "max_block_ms": min(60_000, delivery_timeout_ms),
        "metrics_enabled": False,
    }
