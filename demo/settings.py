"""What the demo takes from the environment: only which brokers to use."""

import os

from stream_app.contract.settings import BOOTSTRAP_SERVERS, ROOT

BROKER = f"{ROOT}BROKER_"


def named_brokers() -> str | None:
    """Brokers to use instead of one of our own; None when none are named."""
    return os.environ.get(BOOTSTRAP_SERVERS) or os.environ.get(f"{ROOT}KAFKA_BOOTSTRAP_SERVERS")


def plain_environment() -> dict[str, str]:
    """The environment for the programs: without settings of ours, but for where Kafka is kept.

    The demo makes its own settings, so that it does the same for everybody.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(BROKER) or not (name.startswith(ROOT) or name == BOOTSTRAP_SERVERS)
    }
