"""What a sink is owed: once each, nothing that is silenced, and of a storm a digest."""

from collections.abc import Sequence

import pytest

from monitoring.alerting.notices import Parcel
from monitoring.alerting.outbox import PARCEL_MAX, Outbox, Storm
from stream_app.contract.alerts import AlertSnoozed, AnyAlertMessage, Severity
from tests import messages
from tests.builders import HOUR_MS, SOLD_MS
from tests.unit.monitoring.alerting.told import numbered

STORM = Storm(singles=3, window_s=600.0)


def outbox(
    *said: AnyAlertMessage, owed_from: int | None = 0, kind: type[Outbox] = Outbox
) -> Outbox:
    box = kind(STORM, owed_from)
    for offset, message in enumerate(said):
        box.take(offset, message)
    box.caught_up()
    return box


def parcels(box: Outbox, now_s: float = 0.0, wall_ms: int = SOLD_MS) -> list[Parcel]:
    """All that goes out at this moment."""
    sent = []
    while parcel := box.due(now_s, wall_ms):
        box.sent(parcel, now_s)
        sent.append(parcel)
    return sent


def sizes(sent: Sequence[Parcel]) -> list[int]:
    return [len(parcel) for parcel in sent]


def test_each_cause_goes_out_once() -> None:
    box = outbox(numbered(1), numbered(2), numbered(1), messages.decision())

    assert sizes(parcels(box)) == [1, 1]
    assert parcels(box) == []


def test_a_cause_that_is_worse_and_its_end_go_out_too() -> None:
    worse = messages.alert(severity=Severity.CRITICAL)
    box = outbox(messages.alert(), worse, messages.resolved())

    assert [p[0].status for p in parcels(box)] == ["open", "open", "resolved"]


class Deaf(Outbox):
    """Planted: snoozes are not heard."""

    def take(self, offset: int, message: AnyAlertMessage | None) -> None:
        super().take(offset, None if isinstance(message, AlertSnoozed) else message)


def check_silenced(silence: AnyAlertMessage, kind: type[Outbox]) -> None:
    assert parcels(outbox(messages.alert(), silence, kind=kind)) == []


@pytest.mark.parametrize(
    "silence", [messages.acknowledged(), messages.snoozed()], ids=["acknowledged", "snoozed"]
)
def test_what_was_silenced_before_its_turn_is_not_sent(silence: AnyAlertMessage) -> None:
    check_silenced(silence, Outbox)


def test_a_snooze_that_is_not_heard_is_caught() -> None:
    with pytest.raises(AssertionError):
        check_silenced(messages.snoozed(), Deaf)


def test_the_end_of_what_was_snoozed_is_not_sent_and_that_of_what_was_acknowledged_is() -> None:
    raised, end = messages.alert(), messages.resolved()
    snoozed = outbox(raised, messages.snoozed(), end, owed_from=1)
    looked_after = outbox(raised, messages.acknowledged(), end, owed_from=1)

    assert parcels(snoozed) == []
    assert [parcel[0].status for parcel in parcels(looked_after)] == ["resolved"]


def test_what_stands_after_its_snooze_is_told_when_it_is_raised_again() -> None:
    after_ms = SOLD_MS + HOUR_MS
    box = outbox(messages.alert(), messages.snoozed(), messages.alert(raised_ms=after_ms))

    assert parcels(box, wall_ms=SOLD_MS) == []
    assert parcels(box, wall_ms=after_ms) == []  # it was dropped while the snooze held
    box.take(3, messages.snoozed(until_ms=after_ms + 1))
    box.take(4, messages.alert(raised_ms=after_ms + 1))
    assert sizes(parcels(box, wall_ms=after_ms + 1)) == [1]


def test_what_was_sent_before_a_restart_is_not_sent_again() -> None:
    assert [p[0].offset for p in parcels(outbox(numbered(1), numbered(2), owed_from=1))] == [1]


def test_a_new_sink_is_told_what_is_open_and_not_what_is_long_over() -> None:
    over = messages.alert(), messages.resolved()

    sent = parcels(outbox(*over, numbered(2), numbered(3), numbered(2), owed_from=None))

    assert [parcel[0].entry.id for parcel in sent] == ["a-2", "a-3"]


def test_a_topic_that_was_made_anew_is_read_as_by_a_new_sink() -> None:
    assert sizes(parcels(outbox(numbered(1), owed_from=500))) == [1]


def test_the_oldest_one_owed_is_what_may_be_committed() -> None:
    box = outbox(messages.decision(), numbered(1), numbered(2), messages.decision())
    assert box.done_offset() == 1

    box.sent(box.due(0.0, SOLD_MS), 0.0)
    assert box.done_offset() == 2

    box.sent(box.due(0.0, SOLD_MS), 0.0)
    assert box.done_offset() == 4


def test_a_storm_is_one_digest_a_window() -> None:
    box = outbox(*map(numbered, range(100)))

    assert sizes(parcels(box)) == [100]
    box.take(100, numbered(100))
    assert sizes(parcels(box, now_s=1.0)) == [1]


def test_a_storm_that_goes_on_is_held_back_until_the_window_is_over() -> None:
    box = outbox(*map(numbered, range(3)))
    assert sizes(parcels(box)) == [1, 1, 1]
    for n in range(3, 103):
        box.take(n, numbered(n))
        parcels(box, now_s=float(n))
    assert len(box.waiting) == 99  # one went as a digest's first

    assert sizes(parcels(box, now_s=700.0)) == [99]


def test_in_an_hour_of_storm_a_person_gets_few_messages() -> None:
    box, sent = outbox(), 0
    for minute in range(60):
        box.take(minute, numbered(minute))
        sent += len(parcels(box, now_s=minute * 60.0))

    assert sent <= 3_600 / STORM.window_s * (STORM.singles + 1)


def test_a_parcel_is_bounded() -> None:
    box = outbox(*map(numbered, range(PARCEL_MAX + 50)))

    assert len(box.due(0.0, SOLD_MS, last=True)) == PARCEL_MAX
