"""Shows predictions as they come, a line each. Only reads, and leaves no trace in any group."""

import time
import uuid
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient

from stream_app.contract import wire
from stream_app.contract.predictions import Prediction
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import PREDICTIONS, full_name
from stream_app.shell import topics_admin

# A broker that was started just before needs some seconds.
ANSWERS_WITHIN_S = 20.0
_LOOK_EVERY_S = 1.0


class NoBroker(Exception):
    """Nobody answers at the address given."""


def follow(
    kafka: KafkaSettings,
    from_start: bool,
    count: int | None,
    as_json: bool,
    say: Callable[[str], None],
    note: Callable[[str], None],
) -> None:
    """Say each prediction; return after `count` of them, or never when it is None.

    Raises
    ------
    NoBroker : there is none to read from
    """
    for shown, value in enumerate(_values(kafka, from_start, note), start=1):
        say(value.decode() if as_json else line(wire.decode_prediction(value)))
        if shown == count:
            return


def _values(kafka: KafkaSettings, from_start: bool, note: Callable[[str], None]) -> Iterator[bytes]:
    topic = full_name(kafka.prefix, PREDICTIONS)
    made_now = _wait_for(topic, kafka, note)
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            # A group of its own that never commits: everybody sees everything.
            "group.id": f"{kafka.prefix}.tail-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest" if from_start or made_now else "latest",
            "log_level": 0,  # what is wrong comes as an error
        }
    )
    try:
        consumer.subscribe([topic])
        while True:
            for message in consumer.consume(500, timeout=0.5):
                if message.error() is not None and not message.error().retriable():
                    raise KafkaException(message.error())
                if message.value() is not None:  # none: erased
                    yield message.value()
    finally:
        consumer.close()


def _wait_for(topic: str, kafka: KafkaSettings, note: Callable[[str], None]) -> bool:
    """Return when there is such a topic; whether it was made meanwhile, and so holds only what is new.

    Who subscribes before never hears of it.
    """
    address, admin = kafka.bootstrap_servers, topics_admin.connect(kafka)
    if topic in _topics(admin, address):
        return False
    note(
        f"there is no topic {topic} at {address} yet: waiting for it "
        "(python -m stream_app topics create; its prefix is HOUSING_KAFKA_PREFIX)"
    )
    while topic not in _topics(admin, address):
        time.sleep(_LOOK_EVERY_S)
    return True


def _topics(admin: AdminClient, address: str) -> Collection[str]:
    """The names of all topics, as soon as a broker answers."""
    try:
        return set(admin.list_topics(timeout=ANSWERS_WITHIN_S).topics)
    except KafkaException as error:
        raise NoBroker(f"no Kafka answers at {address}: {error.args[0].str()}") from None


def line(prediction: Prediction) -> str:
    """One prediction for a person to read."""
    day = datetime.fromtimestamp(prediction.event_time_ms / 1000, tz=UTC).date()
    reasons = ", ".join(prediction.quality_reasons)
    parts = (
        str(day),
        prediction.region,
        prediction.listing_id,
        _price(prediction),
        str(prediction.step),
        f"{prediction.quality} ({reasons})" if reasons else str(prediction.quality),
    )
    # Ids come from publishers: nothing in them may command a terminal.
    return "  ".join("".join(c if c.isprintable() else "?" for c in part) for part in parts)


def _price(prediction: Prediction) -> str:
    if prediction.price is None:
        return "no price"
    low, high = prediction.price_low, prediction.price_high
    interval = "" if low is None or high is None else f" ({low:,.0f} to {high:,.0f})"
    return f"{prediction.price:,.0f} {prediction.currency}{interval}"
