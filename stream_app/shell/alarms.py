"""Tells on housing.alerts what a person should know of a worker. Beside all transactions.

The same cause has the same key, so whoever reads the topic tells it once, however many
workers found it. An alert that is not delivered is only logged: it must stop nobody.
"""

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_app.contract import wire
from stream_app.contract.alerts import Alert, Severity
from stream_app.contract.ids import fingerprint
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import ALERTS, PARTITIONER, full_name
from stream_app.shell.shelf import Refusal

RUNBOOK = "docs/runbooks/model-refused.md"
_DELIVERY_TIMEOUT_S = 2.0  # the next announcement may be waiting
_log = logging.getLogger(__name__)


def alarm(kafka: KafkaSettings) -> Callable[[Refusal], None]:
    """Build what raises an alert for a model that was refused."""

    def raise_alert(refusal: Refusal) -> None:
        told = alert(refusal, raised_ms=time.time_ns() // 1_000_000)
        producer = Producer(
            {
                "bootstrap.servers": kafka.bootstrap_servers,
                "partitioner": PARTITIONER,
                "enable.idempotence": True,
                "log_level": 2,
            }
        )
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failed.append(error)

        try:
            topic = full_name(kafka.prefix, ALERTS)
            producer.produce(
                topic, key=told.fingerprint, value=wire.encode(told), callback=delivered
            )
            undelivered: object = producer.flush(_DELIVERY_TIMEOUT_S) or failed
        except KafkaException as error:
            undelivered = error
        if undelivered:
            _log.error("an alert was not delivered: %s (%s)", told.summary, undelivered)

    return raise_alert


def alert(refusal: Refusal, raised_ms: int) -> Alert:
    """Put a refusal into the words of an alert."""
    goes_on = "nothing serves in its place"
    if refusal.serves is not None:
        goes_on = f"{refusal.serves} goes on"
    cause, what = "model refused", "is refused"
    action = "mend the cause and announce the version anew, or roll back"
    if refusal.again:
        cause, what = "model unavailable", "cannot be opened yet and is tried again"
        action = "none if it serves within minutes; else see whether its file is there"
    return Alert(
        fingerprint=fingerprint(cause, *refusal[:3]),
        raised_ms=raised_ms,
        market=refusal.market,
        cause=cause,
        severity=Severity.CRITICAL if refusal.serves is None else Severity.WARNING,
        summary=f"{refusal.kind} {refusal.version} {what}, {goes_on}: {refusal.reason}",
        value=None,
        baseline=None,
        sample_size=0,
        segment=None,
        action=action,
        runbook=RUNBOOK,
    )
