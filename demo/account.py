"""Accounts for every event: what became of it, as a read_committed consumer saw it.

Not here: reading topics (observer.py), judging prices (metrics.py).

An event is accounted for when one of these was seen:

- by place: a prediction or a reject that names its partition and offset;
- by id: an outcome that names the sale's event id, or the same event id at a
  lower offset of its partition (it was sent again; that must also be counted);
- by count, for what leaves no message of its own (withdrawals, erasures,
  orphans, outdated ones): the partition's control record counts events by kind
  and verdict, and it is committed together with the results.

Whatever is left is lost. What was seen more than once is visible twice; a record
that this reader itself reads again (same topic, partition and offset) is not.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from demo.control import Control
from stream_app.contract.events import AnyEvent, kind_of
from stream_app.contract.predictions import Outcome, Prediction

UNREADABLE = "unreadable"  # kind of an event that is no event; it must have been rejected

# Verdicts that leave no message of their own (core/labels.py).
SILENT = ("withdrawn", "erased", "orphan", "outdated")
SENT_AGAIN = "duplicate"
SHOWN = 10


class Place(NamedTuple):
    """Where an event stands in `housing.events`."""

    partition: int
    offset: int


class Seen(NamedTuple):
    """What the account keeps of an event."""

    kind: str
    event_id: str
    appended_ms: int


class Totals(NamedTuple):
    """The account at one moment."""

    events: int
    predictions: int
    rejects: int
    outcomes: int
    late: int
    duplicates: int
    visible_twice: int


class Loss(NamedTuple):
    """How many of the events at these offsets; which of them is not always known."""

    events: int
    what: str
    partition: int | None  # None: not in the topic at all
    among: tuple[int, ...]

    def __str__(self) -> str:
        if self.partition is None:
            return f"{self.events} {self.what}"
        offsets = ", ".join(map(str, self.among[:SHOWN])) + ", ..." * (len(self.among) > SHOWN)
        return f"{self.events} {self.what}: partition {self.partition}, among offsets {offsets}"


# Offsets by partition and kind.
Offsets = dict[tuple[int, str], list[int]]


class Account:
    """Takes what was seen, in any order between topics; changes in place."""

    def __init__(self) -> None:
        self.events: dict[Place, Seen] = {}
        self.answered_ms: dict[Place, float] = {}  # when its prediction was received
        self.controls: dict[int, Control] = {}
        self._ends: dict[int, int] = {}  # partition -> offset of its newest event
        self._predictions: Counter[str] = Counter()
        self._outcomes: Counter[tuple[str, int]] = Counter()
        self._outcome_event_ids: set[str] = set()
        self._rejects: Counter[Place] = Counter()

    def enter_event(self, place: Place, event: AnyEvent | None, appended_ms: int) -> None:
        """Enter a record of `housing.events`; None when it could not be read."""
        kind, event_id = (UNREADABLE, "") if event is None else (kind_of(event), event.event_id)
        self.events[place] = Seen(kind, event_id, appended_ms)
        self._ends[place.partition] = max(self._ends.get(place.partition, -1), place.offset)

    def enter_prediction(self, prediction: Prediction, received_ms: float) -> None:
        place = Place(prediction.source_partition, prediction.source_offset)
        self.answered_ms.setdefault(place, received_ms)
        self._predictions[prediction.prediction_id] += 1

    def enter_outcome(self, outcome: Outcome) -> bool:
        """Enter an outcome; False when it was seen before."""
        key = outcome.prediction_id, outcome.sale_revision
        self._outcomes[key] += 1
        self._outcome_event_ids.add(outcome.sale_event_id)
        return self._outcomes[key] == 1

    def enter_reject(self, place: Place) -> None:
        """Enter a reject by the place of the event it refuses."""
        self._rejects[place] += 1

    def enter_control(self, partition: int, control: Control) -> None:
        self.controls[partition] = control

    def totals(self) -> Totals:
        return Totals(
            events=len(self.events),
            predictions=len(self._predictions),
            rejects=len(self._rejects),
            outcomes=len(self._outcomes),
            late=self._counted("late"),
            duplicates=self._counted(SENT_AGAIN),
            visible_twice=sum(
                seen.total() - len(seen)
                for seen in (self._predictions, self._outcomes, self._rejects)
            ),
        )

    def losses(self, sent: int) -> tuple[Loss, ...]:
        """Find what is not accounted for; `sent`: events that the producers confirmed.

        Ask when all partitions are applied: what is still on its way counts as lost.
        """
        losses = [Loss(sent - len(self.events), "sent, but not in the topic", None, ())]
        unmatched, again = self._unmatched()
        for (partition, kind), offsets in sorted(unmatched.items()):
            explained = sum(self._count(partition, f"{kind}:{verdict}") for verdict in SILENT)
            losses.append(Loss(len(offsets) - explained, kind, partition, tuple(offsets)))
        for (partition, kind), offsets in sorted(again.items()):
            counted = self._count(partition, f"{kind}:{SENT_AGAIN}")
            losses.append(Loss(len(offsets) - counted, f"{kind}, again", partition, tuple(offsets)))
        return tuple(loss for loss in losses if loss.events > 0)

    def lost(self, sent: int) -> int:
        """Count what is not accounted for."""
        return sum(loss.events for loss in self.losses(sent))

    def lag(self) -> int | None:
        """Events not yet applied; None while a partition has not told anything."""
        if any(partition not in self.controls for partition in self._ends):
            return None
        return sum(
            max(0, end - self.controls[partition].applied_offset)
            for partition, end in self._ends.items()
        )

    def next_offsets(self) -> dict[int, int]:
        """By partition, where the next event will stand."""
        return {partition: end + 1 for partition, end in self._ends.items()}

    def latencies_ms(self, places: Iterable[Place]) -> list[float]:
        """From the broker's append of an event to its prediction being received."""
        return [
            self.answered_ms[place] - self.events[place].appended_ms
            for place in places
            if place in self.answered_ms and place in self.events
        ]

    def _unmatched(self) -> tuple[Offsets, Offsets]:
        """Events without a message of their own: new ones, and those sent again."""
        new: Offsets = {}
        again: Offsets = {}
        known: set[str] = set()
        for place, seen in sorted(self.events.items()):
            repeated = seen.event_id in known
            known.add(seen.event_id)
            if place in self.answered_ms or place in self._rejects:
                continue
            if repeated:
                again.setdefault((place.partition, seen.kind), []).append(place.offset)
            elif seen.event_id not in self._outcome_event_ids:
                new.setdefault((place.partition, seen.kind), []).append(place.offset)
        return new, again

    def _count(self, partition: int, what: str) -> int:
        control = self.controls.get(partition)
        return 0 if control is None else control.counts.get(what, 0)

    def _counted(self, verdict: str) -> int:
        return sum(
            count
            for control in self.controls.values()
            for what, count in _by_verdict(control.counts, verdict)
        )


def _by_verdict(counts: Mapping[str, int], verdict: str) -> Iterable[tuple[str, int]]:
    return ((what, n) for what, n in counts.items() if what.endswith(f":{verdict}"))
