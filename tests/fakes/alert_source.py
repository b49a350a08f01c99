"""`housing.alerts` in a list, as one sink reads it: what is committed outlives the reader."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from monitoring.alerting.notifier import Read
from stream_app.contract.alerts import AnyAlertMessage


@dataclass
class FakeSource:
    """`topic` and `done` are the broker's; a source that starts anew takes them over."""

    topic: list[AnyAlertMessage] = field(default_factory=list)
    done: int | None = None
    read: int = 0

    def committed(self) -> int | None:
        return self.done

    def poll(self) -> tuple[Sequence[Read], bool]:
        found = [Read(n, self.topic[n]) for n in range(self.read, len(self.topic))]
        self.read = len(self.topic)
        return found, True

    def commit(self, offset: int) -> None:
        self.done = offset

    def restarted(self) -> "FakeSource":
        return FakeSource(self.topic, self.done)
