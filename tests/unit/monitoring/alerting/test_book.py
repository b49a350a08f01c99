"""The topic's messages, put together: what stands, and who looks after it."""

import pytest

from monitoring.alerting import book as books
from monitoring.alerting import raising
from monitoring.alerting.book import Standing
from stream_app.contract.alerts import Alert, AnyAlertMessage, RequestStatus, Severity
from stream_app.contract.ids import fingerprint
from tests import messages
from tests.builders import HOUR_MS, SOLD_MS

ID = messages.alert().fingerprint
LATER_MS = SOLD_MS + HOUR_MS


def standing(*said: AnyAlertMessage, now_ms: int = SOLD_MS) -> Standing:
    return books.of_log(said)[ID].standing(now_ms)


def doubted(partition: int, cause: str = "publisher doubted: unit") -> Alert:
    key = fingerprint("publisher", str(partition), "agency-b", "unit")
    return messages.alert(fingerprint=key, cause=cause, segment="agency-b")


def trusted(partition: int) -> Alert:
    return doubted(partition, "publisher trusted again: unit")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((), Standing.OPEN),
        ((messages.acknowledged(),), Standing.ACKNOWLEDGED),
        ((messages.snoozed(until_ms=LATER_MS),), Standing.SNOOZED),
        ((messages.snoozed(until_ms=SOLD_MS),), Standing.OPEN),
        ((messages.acknowledged(), messages.resolved()), Standing.RESOLVED),
        ((messages.resolved(), messages.acknowledged()), Standing.RESOLVED),
        ((messages.resolved(), messages.alert()), Standing.OPEN),
        ((messages.acknowledged(), messages.resolved(), messages.alert()), Standing.OPEN),
        ((messages.decision(), messages.acknowledged(fingerprint="another")), Standing.OPEN),
    ],
)
def test_where_an_alert_stands(said: tuple[AnyAlertMessage, ...], expected: Standing) -> None:
    assert standing(messages.alert(), *said) is expected


def test_what_is_told_again_is_one_entry_that_began_with_the_first() -> None:
    (entry,) = books.of_log([messages.alert(), messages.alert(raised_ms=LATER_MS)]).values()

    assert (entry.times, entry.first_raised_ms, entry.alert.raised_ms) == (2, SOLD_MS, LATER_MS)


def test_only_what_begins_becomes_worse_or_ends_is_news() -> None:
    critical = messages.alert(severity=Severity.CRITICAL)
    said: list[AnyAlertMessage] = [
        messages.alert(),
        messages.alert(),
        critical,
        messages.alert(),
        messages.resolved(),
        messages.resolved(),
        messages.acknowledged(fingerprint="nobody's"),
    ]
    book: books.Book = {}

    assert [books.take(book, message) is not None for message in said] == [
        True,
        False,
        True,
        False,
        True,
        False,
        False,
    ]


def test_an_acknowledged_alert_that_becomes_worse_is_nobodys_again() -> None:
    critical = messages.alert(severity=Severity.CRITICAL)

    assert standing(messages.alert(), messages.acknowledged(), critical) is Standing.OPEN


def test_a_snooze_lasts_when_the_cause_comes_back_in_the_meantime() -> None:
    said = (messages.alert(), messages.snoozed(), messages.resolved(), messages.alert())

    assert standing(*said) is Standing.SNOOZED


def test_a_publisher_doubted_in_all_partitions_is_one_cause() -> None:
    book = books.of_log(map(doubted, range(4)))

    assert len(book) == 1


def test_a_doubted_publisher_is_trusted_when_the_last_partition_says_so() -> None:
    book = books.of_log([doubted(0), doubted(1), trusted(0)])
    (entry,) = book.values()
    assert entry.open

    assert books.take(book, trusted(1))

    (entry,) = book.values()
    assert not entry.open


def test_trust_in_whom_nobody_doubted_is_no_news() -> None:
    book: books.Book = {}

    assert books.take(book, trusted(0)) is None
    assert book == {}


def test_an_approval_is_no_longer_awaited_when_the_request_went_on() -> None:
    waits = messages.answered(RequestStatus.WAITING)
    (awaited,) = raising.of_messages([waits])
    book = books.of_log([waits, awaited])

    assert books.take(book, waits) is None
    ended = books.take(book, messages.answered(RequestStatus.DONE))

    assert ended is not None
    assert ended.resolved is not None
    assert ended.resolved.reason == "the request is done"
