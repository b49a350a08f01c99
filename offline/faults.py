"""What a command can fail of, known without importing what it works with."""

from stream_app.contract.settings import BOOTSTRAP_SERVERS

WRONG_INPUT = 2  # exit status of what is no fault of ours, nor of what is around us


class WrongInput(Exception):
    """What was asked for cannot be done. Trying again changes nothing."""


class NotRegistered(WrongInput):
    """No such version or alias."""


class Refused(Exception):
    """Somebody or something says no: whoever serves goes on as before."""


class BrokerAway(Exception):
    """No broker answers. It may be there again in a moment."""


class NotAnnounced(Refused):
    """The broker did not confirm."""


def no_kafka(servers: str, why: str) -> str:
    """Where no broker answers, and which setting names it.

    >>> no_kafka("127.0.0.1:1", "timed out")
    'no Kafka answers at 127.0.0.1:1 (KAFKA_BOOTSTRAP_SERVERS): timed out'
    """
    return f"no Kafka answers at {servers} ({BOOTSTRAP_SERVERS}): {why}"
