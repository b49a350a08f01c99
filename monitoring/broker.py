"""What is said where the broker does not answer. Opens nothing."""

from confluent_kafka import KafkaException

from stream_app.contract.settings import BOOTSTRAP_SERVERS


class NoBroker(Exception):
    """The broker did not answer in time, or did not take what was written."""


def no_answer(servers: str, error: KafkaException) -> NoBroker:
    """Whom was asked, what came of it, and which setting names another."""
    words = f"{servers}: {error.args[0].str()}; {BOOTSTRAP_SERVERS} names it"
    return NoBroker(f"no broker answers at {words}")
