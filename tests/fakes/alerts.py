"""`housing.alerts` in a list: what is said is read back, in order."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from stream_app.contract.alerts import AnyAlertMessage

_POLL_S = 0.01


@dataclass
class FakeAlerts:
    """One worker's end of the topic; `topic` outlives it."""

    topic: list[AnyAlertMessage] = field(default_factory=list)
    read: int = 0

    def to_end(self) -> list[AnyAlertMessage]:
        return self.more()

    def more(self) -> list[AnyAlertMessage]:
        if self.read == len(self.topic):
            threading.Event().wait(_POLL_S)  # as a consumer does
        found = self.topic[self.read :]
        self.read = len(self.topic)
        return found

    def say(self, messages: Sequence[AnyAlertMessage]) -> list[AnyAlertMessage]:
        self.topic += messages
        return self.more()

    def close(self) -> None:
        pass
