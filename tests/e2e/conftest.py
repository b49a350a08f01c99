"""End to end on the broker of the integration tests."""

from tests.integration.conftest import broker, environment, fresh_prefix, kafka

__all__ = ["broker", "environment", "fresh_prefix", "kafka"]
