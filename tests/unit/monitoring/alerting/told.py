"""Alerts of any number, and the notices that are made of them."""

from monitoring.alerting import book as books
from monitoring.alerting.notices import Notice
from stream_app.contract.alerts import Alert, AnyAlertMessage
from tests import messages
from tests.builders import SOLD_MS


def numbered(number: int, **changes: object) -> Alert:
    """The alert of a cause of its own."""
    facts: dict[str, object] = {"fingerprint": f"a-{number}", "raised_ms": SOLD_MS + number}
    return messages.alert(**facts | changes)


def notice(*said: AnyAlertMessage) -> Notice:
    """What the last of these messages makes news."""
    book: books.Book = {}
    news = [books.take(book, message) for message in said][-1]
    assert news is not None
    return Notice(len(said) - 1, news)
