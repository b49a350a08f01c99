"""Alerts on a real topic: read as committed, sent once, and owed over a restart."""

import time
from contextlib import suppress

import pytest

from monitoring.alerting import book as books
from monitoring.alerting import topic
from monitoring.alerting.notifier import Notifier, Pace
from monitoring.alerting.outbox import Storm
from monitoring.alerting.sinks import WebhookSink
from monitoring.broker import NoBroker
from monitoring.settings import NotifySettings
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import group_id
from tests import messages
from tests.builders import SOLD_MS
from tests.fakes import webhook
from tests.fakes.webhook import Webhook
from tests.waiting import until

WITHIN_S = 30.0

pytestmark = pytest.mark.broker


def notified(kafka: KafkaSettings, hook: Webhook, *, until_failed: bool = False) -> int:
    """One life of a notifier: until nothing is owed, or until the receiver has failed it."""
    source = topic.Follower(kafka, group_id(kafka.prefix, "notify-webhook"))
    said: list[str] = []
    notifier = Notifier(
        WebhookSink(NotifySettings(webhook_url=hook.url)),
        source,
        Pace(Storm(singles=100, window_s=60.0), retry_most_s=1.0),
        now_s=time.monotonic,
        wall_ms=lambda: SOLD_MS,
        tell=said.append,
    )

    def enough() -> bool:
        with suppress(NoBroker):  # a commit that the broker did not take: tried again, as it is run
            notifier.step()
        return bool(said) if until_failed else notifier.is_done()

    try:
        until(enough, WITHIN_S, "nothing is owed")
    finally:
        source.close()
    return notifier.sent


def test_a_sink_that_was_away_gets_each_alert_once_over_restarts(kafka: KafkaSettings) -> None:
    alerts = [messages.alert(fingerprint=f"a-{n}") for n in range(3)]
    with webhook.receiving() as hook:
        notified(kafka, hook)
        topic.tell(kafka, [*alerts, alerts[0]])
        hook.once = [200, 503]
        notified(kafka, hook, until_failed=True)

        notified(kafka, hook)
        topic.tell(kafka, [messages.resolved(fingerprint="a-1")])
        assert notified(kafka, hook) == 1

        told = [(notice["alert"], notice["status"]) for notice in hook.notices()]
    assert told == [("a-0", "open"), ("a-1", "open"), ("a-2", "open"), ("a-1", "resolved")]
    assert [e.open for e in books.of_log(topic.read(kafka)).values()] == [True, False, True]
