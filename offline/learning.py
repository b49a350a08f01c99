"""The learner's step over outcomes as they come: its state, and the newest version of it."""

from collections.abc import Iterable

from offline.dataset import remember
from stream_app.contract import wire
from stream_app.contract.models import CorrectorAnnounced
from stream_app.stages import learner
from stream_app.stages.step import Batch, Record


class Learning:
    """One market's learner, without a broker."""

    def __init__(self) -> None:
        self._state: dict[str, bytes] = {}
        self._outcomes = 0
        self.newest: CorrectorAnnounced | None = None

    def copy(self) -> "Learning":
        """One that has learned the same, and goes its own way from here."""
        other = Learning()
        other._state, other._outcomes = dict(self._state), self._outcomes
        other.newest = self.newest
        return other

    def learn(self, outcomes: Iterable[bytes | None]) -> CorrectorAnnounced | None:
        """Take outcomes in, in order; the newest version that is announced by them, if any."""
        records = [
            Record(place, None, value, 0) for place, value in enumerate(outcomes, self._outcomes)
        ]
        if not records:
            return None
        self._outcomes += len(records)
        done = learner.advance(Batch("outcomes", "file", 0, 1, records), self._state, {})
        remember(self._state, done)
        announced = None
        for output in done.outputs:
            message = wire.decode_model_message(output.value or b"")
            announced = message if isinstance(message, CorrectorAnnounced) else announced
        self.newest = announced or self.newest
        return announced
