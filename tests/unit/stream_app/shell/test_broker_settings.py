"""Settings of the local broker: options over environment over file."""

from stream_app.contract.settings import merged
from stream_app.shell.broker_settings import given
from stream_app.shell.kafka_config import Ports, server_properties


def test_the_environment_wins_over_the_file() -> None:
    settings = given(merged({"HOUSING_BROKER_PORT": "0"}, "[broker]\nport = 9999\nheap_mb = 256"))

    assert (settings.broker.port, settings.broker.heap_mb) == (0, 256)


def test_brokers_in_the_settings_file_are_named_brokers_too() -> None:
    assert given(merged({}, '[kafka]\nbootstrap_servers = "a:9092"')).brokers_named


def test_by_default_nobody_has_named_a_broker() -> None:
    assert not given({}).brokers_named


def test_kafka_listens_on_the_loopback_address_only() -> None:
    lines = server_properties(Ports(9092, 9093)).splitlines()

    addresses = [line for line in lines if "listeners=PLAINTEXT" in line]
    assert len(addresses) == 2
    assert all(line.count("://") == line.count("://127.0.0.1:") for line in addresses)
