"""Stand-ins for the broker's client, the sender and the clock: small, and they really work."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kafka.errors import KafkaError, KafkaTimeoutError


@dataclass
class FakeDelivery:
    """Confirmed at once, later (`is_done` false until asked), or never."""

    is_done: bool = True
    error: KafkaError | None = None

    def get(self, timeout: float | None = None) -> object:
        self.is_done = True
        if self.error is not None:
            raise self.error
        return None


@dataclass
class FakeClient:
    """A producer that keeps what it was given. Deliveries fail from `fails_at` on."""

    fails_at: int | None = None
    confirms_at_once: bool = True
    sent: list[tuple[str, bytes, bytes]] = field(default_factory=list)  # topic, key, value
    deliveries: list[FakeDelivery] = field(default_factory=list)
    closed_within_s: float | None = None

    def send(self, topic: str, *, key: bytes, value: bytes) -> FakeDelivery:
        fails = self.fails_at is not None and len(self.sent) >= self.fails_at
        self.sent.append((topic, key, value))
        delivery = FakeDelivery(self.confirms_at_once, KafkaTimeoutError("gone") if fails else None)
        self.deliveries.append(delivery)
        return delivery

    def flush(self, timeout: float | None = None) -> None:
        for delivery in self.deliveries:
            delivery.is_done = True

    def close(self, timeout: float | None = None) -> None:
        self.closed_within_s = timeout


class Died(Exception):
    """The program died here."""


@dataclass
class FakeSender:
    """Keeps ids in order. Confirms in steps, as a broker does; dies at the `dies_at`-th event."""

    confirm_every: int = 1
    dies_at: int | None = None
    event_ids: list[str] = field(default_factory=list)
    confirmed: int = 0

    def send_raw(self, event_id: str, region: str, raw: bytes) -> None:
        if len(self.event_ids) == self.dies_at:
            raise Died
        self.event_ids.append(event_id)

    def settle(self) -> None:
        self.confirmed = len(self.event_ids) // self.confirm_every * self.confirm_every

    def flush(self) -> None:
        self.confirmed = len(self.event_ids)


@dataclass
class FakeClock:
    """Time passes by waiting, and by `tick_s` at each look. Tells to stop when `stop_at_s` is reached."""

    now_s: float = 0.0
    tick_s: float = 0.0
    stop_at_s: float = float("inf")
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        self.now_s += self.tick_s
        return self.now_s

    def wait(self, within_s: float) -> bool:
        if within_s > 0:
            self.waits.append(within_s)
        self.now_s += within_s
        return self.now_s >= self.stop_at_s


def nothing() -> Callable[[int], None]:
    """A listener that does not listen."""
    return lambda position: None
