"""A client that lives through the death of its broker asks again who leads, and is answered."""

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from stream_app.shell import source
from stream_app.shell.source import Bounds
from tests.chaos.node import OwnBroker

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.chaos]


def test_bounds_are_told_again_after_the_broker_was_killed(tmp_path: Path) -> None:
    broker = OwnBroker(tmp_path / "broker")
    try:
        broker.start()
        admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
        admin.create_topics([NewTopic("some", 1, 1)])["some"].result()
        before = source.bounds(admin, "some", 0)
        broker.kill()
        broker.start()

        assert source.bounds(admin, "some", 0) == before == Bounds(0, 0)
    finally:
        broker.close()
