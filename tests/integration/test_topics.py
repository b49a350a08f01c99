"""Topics on a real broker: made once, verified against the contract."""

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import MODELS, SHADOW, STATE, TOPICS, full_name
from stream_app.shell import topics_admin
from tests.integration.brokers import free_port
from tests.waiting import until

pytestmark = pytest.mark.broker


def test_a_second_create_makes_nothing(fresh_prefix: KafkaSettings) -> None:
    admin = topics_admin.connect(fresh_prefix)

    first = topics_admin.create(admin, fresh_prefix.prefix)
    second = topics_admin.create(admin, fresh_prefix.prefix)

    names = tuple(full_name(fresh_prefix.prefix, topic) for topic in TOPICS)
    assert (first.made, first.there_already) == (names, ())
    assert (second.made, second.there_already) == ((), names)


def test_another_number_of_partitions_is_refused_once_events_is_there(kafka: KafkaSettings) -> None:
    with pytest.raises(topics_admin.Refused, match="events has 4 partitions and 8 were asked for"):
        topics_admin.create(topics_admin.connect(kafka), kafka.prefix, partitions=8)


def test_a_missing_topic_is_made_with_as_many_partitions_as_events_has(
    fresh_prefix: KafkaSettings,
) -> None:
    admin = topics_admin.connect(fresh_prefix)
    topics_admin.create(admin, fresh_prefix.prefix, partitions=3)
    shadow = full_name(fresh_prefix.prefix, SHADOW)
    _delete(admin, shadow)
    until(lambda: shadow not in admin.list_topics(timeout=10).topics, 60, "it is gone")

    again = topics_admin.create(admin, fresh_prefix.prefix)

    assert again.made == (shadow,)
    assert topics_admin.verify(admin, fresh_prefix.prefix) == ()


def test_without_a_broker_it_says_that_none_answers() -> None:
    nobody = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}")

    with pytest.raises(topics_admin.Refused, match="no broker answers"):
        topics_admin.verify(topics_admin.connect(nobody), nobody.prefix)


def test_topics_as_created_show_no_difference(kafka: KafkaSettings) -> None:
    assert topics_admin.verify(topics_admin.connect(kafka), kafka.prefix) == ()


def test_verify_tells_every_planted_difference_at_once(kafka: KafkaSettings) -> None:
    admin = topics_admin.connect(kafka)
    _delete(admin, full_name(kafka.prefix, MODELS))
    _set(admin, full_name(kafka.prefix, STATE), "cleanup.policy", "delete")
    shadow = full_name(kafka.prefix, SHADOW)
    admin.create_partitions([NewPartitions(shadow, 6)])[shadow].result(30)

    told = until(lambda: _at_least(3, admin, kafka.prefix), 60, "three differences are seen")

    assert told == (
        f"{kafka.prefix}.models: missing",
        f"{shadow}: 6 partitions, must be 4, as {kafka.prefix}.events has",
        f"{kafka.prefix}.state: cleanup.policy is delete, must be compact",
    )


def test_verify_ends_with_1_and_names_them_as_json(environment: Mapping[str, str]) -> None:
    other = {**environment, "HOUSING_KAFKA_PREFIX": "nobody-has-this"}

    done = _topics("verify", "--json", environment=other)

    assert done.returncode == 1
    assert len(json.loads(done.stdout)["differences"]) == len(TOPICS)


def test_verify_ends_with_0_when_all_is_well(environment: Mapping[str, str]) -> None:
    done = _topics("verify", environment=environment)

    assert (done.returncode, done.stdout) == (0, "all topics are as they must be\n")


def test_more_copies_than_brokers_are_refused_in_words(fresh_prefix: KafkaSettings) -> None:
    with pytest.raises(topics_admin.Refused, match=r"[Rr]eplication factor"):
        topics_admin.create(
            topics_admin.connect(fresh_prefix), fresh_prefix.prefix, replication_factor=9
        )


@pytest.mark.parametrize("option", ["--partitions", "--replication-factor"])
def test_a_count_below_one_is_wrong_input(environment: Mapping[str, str], option: str) -> None:
    done = _topics("create", option, "0", environment=environment)

    assert done.returncode == 2
    assert "'0': a whole number from 1 is wanted" in done.stderr


def _topics(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stream_app", "topics", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def _at_least(count: int, admin: AdminClient, prefix: str) -> tuple[str, ...]:
    told = topics_admin.verify(admin, prefix)
    return told if len(told) >= count else ()


def _delete(admin: AdminClient, name: str) -> None:
    admin.delete_topics([name])[name].result(30)


def _set(admin: AdminClient, name: str, key: str, value: str) -> None:
    entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(30)
