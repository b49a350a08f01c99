"""A publisher without a broker: it keeps what was committed, or refuses to."""

import threading
from dataclasses import dataclass, field

from stream_app.contract.rejects import Undelivered
from stream_app.stages.step import Step


@dataclass
class FakePublisher:
    """`broken` raises instead of committing; `gate`, when given, is waited for first."""

    broken: Undelivered | None = None
    gate: threading.Event | None = None
    committed: list[Step] = field(default_factory=list)
    closed: bool = False

    def commit(self, step: Step) -> None:
        if self.gate is not None:
            assert self.gate.wait(10), "the test never opened the gate"
        if self.broken is not None:
            raise self.broken
        self.committed.append(step)

    def close(self) -> None:
        self.closed = True
