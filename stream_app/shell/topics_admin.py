"""Makes the topics of `contract/topics.py` on a broker, and compares a broker with them."""

import time
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigEntry, ConfigResource, NewTopic, ResourceType

from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import DEFAULT_PARTITIONS, EVENTS, TOPICS, Topic, full_name

ANSWER_WITHIN_S = 10.0
WITHIN_S = 30.0  # for a topic to be made
POLL_S = 0.05


class Refused(Exception):
    """No broker answered, or it did not agree; the text says which and why."""


class Found(NamedTuple):
    """One topic as the broker has it."""

    partitions: int
    config: Mapping[str, str]


class Created(NamedTuple):
    made: tuple[str, ...]
    there_already: tuple[str, ...]


def connect(kafka: KafkaSettings) -> AdminClient:
    """Open a connection for administration; it is used lazily."""
    return AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 0})


def create(
    admin: AdminClient,
    prefix: str,
    partitions: int | None = None,
    replication_factor: int = 1,
) -> Created:
    """Make the topics that are not there; leave the others as they are.

    `partitions` of `events` and all that follows it; None: as many as `events` has
    already, else the default.

    Raises
    ------
    Refused : nobody answers, the broker does not agree, or `events` has another count
    """
    there = _counts(admin)
    count = _agreed_count(there.get(full_name(prefix, EVENTS)), partitions)
    wanted = [_new_topic(prefix, topic, count, replication_factor) for topic in TOPICS]
    missing = [topic for topic in wanted if topic.topic not in there]
    if missing:
        for name, future in admin.create_topics(missing, request_timeout=WITHIN_S).items():
            _await_made(name, future)
        _await_known(admin, [topic.topic for topic in missing])
    made = tuple(topic.topic for topic in missing)
    return Created(made, tuple(topic.topic for topic in wanted if topic.topic in there))


def _agreed_count(found: int | None, asked: int | None) -> int:
    if found is not None and asked is not None and found != asked:
        raise Refused(
            f"events has {found} partitions and {asked} were asked for: their number is fixed "
            "when topics are made, as the state lies beside its source"
        )
    return found or asked or DEFAULT_PARTITIONS


def _new_topic(prefix: str, topic: Topic, partitions: int, replication_factor: int) -> NewTopic:
    return NewTopic(
        full_name(prefix, topic),
        num_partitions=partitions if topic.co_partitioned else 1,
        replication_factor=replication_factor,
        config=dict(topic.config),
    )


def _await_made(name: str, future: Future[None]) -> None:
    try:
        future.result(WITHIN_S)
    except KafkaException as error:
        # Somebody else made it between our look and our request.
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise Refused(f"{name}: {error.args[0].str()}") from None


def _await_known(admin: AdminClient, names: Collection[str]) -> None:
    """Wait until the broker tells of them, too: it agrees to make them a moment before."""
    deadline_s = time.monotonic() + WITHIN_S
    while len(_look(admin, names)) < len(names):
        if time.monotonic() > deadline_s:
            raise Refused(f"made, but still unknown after {WITHIN_S:g} s: {', '.join(names)}")
        time.sleep(POLL_S)


def _counts(admin: AdminClient) -> Mapping[str, int]:
    """The topics that are there, and how many partitions each has."""
    try:
        listed = admin.list_topics(timeout=ANSWER_WITHIN_S).topics
    except KafkaException as error:
        raise Refused(
            f"no broker answers (KAFKA_BOOTSTRAP_SERVERS): {error.args[0].str()}"
        ) from None
    return {name: len(topic.partitions) for name, topic in listed.items()}


def verify(admin: AdminClient, prefix: str) -> tuple[str, ...]:
    """Compare a live broker with the contract; give every difference, in words.

    Raises
    ------
    Refused : nobody answers
    """
    there = _counts(admin)
    wanted = {full_name(prefix, topic): topic for topic in TOPICS}
    found = _look(admin, [name for name in wanted if name in there])
    return differences(wanted, found)


def _look(admin: AdminClient, names: Collection[str]) -> dict[str, Found]:
    if not names:
        return {}
    counts = _counts(admin)
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    configs = admin.describe_configs(resources, request_timeout=WITHIN_S)
    settings = {resource.name: _settings(future) for resource, future in configs.items()}
    return {
        name: Found(counts[name], config)
        for name, config in settings.items()
        if config is not None and name in counts
    }


def _settings(future: Future[Mapping[str, ConfigEntry]]) -> Mapping[str, str] | None:
    """None: the broker listed a topic that it does not know, as it does for a moment."""
    try:
        return {entry.name: entry.value for entry in future.result(WITHIN_S).values()}
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return None
        raise Refused(error.args[0].str()) from None


def differences(wanted: Mapping[str, Topic], found: Mapping[str, Found]) -> tuple[str, ...]:
    """Name every difference: missing topics, partition counts, settings.

    >>> differences({"housing.models": TOPICS[-2]}, {})
    ('housing.models: missing',)
    """
    missing = [f"{name}: missing" for name in wanted if name not in found]
    there = {name: topic for name, topic in wanted.items() if name in found}
    return (*missing, *_partition_differences(there, found), *_config_differences(there, found))


def _partition_differences(
    wanted: Mapping[str, Topic], found: Mapping[str, Found]
) -> Iterable[str]:
    counts = {n: found[n].partitions for n, topic in wanted.items() if topic.co_partitioned}
    if not counts:
        return
    # The source says how many; without it the first one that is there.
    leading = next(iter(counts))
    for name, topic in wanted.items():
        expected = counts[leading] if topic.co_partitioned else 1
        if found[name].partitions != expected:
            like = f", as {leading} has" if topic.co_partitioned else ""
            yield f"{name}: {found[name].partitions} partitions, must be {expected}{like}"


def _config_differences(wanted: Mapping[str, Topic], found: Mapping[str, Found]) -> Iterable[str]:
    for name, topic in wanted.items():
        for key, value in topic.config.items():
            live = found[name].config.get(key)
            if _listed(live) != _listed(value):
                yield f"{name}: {key} is {live}, must be {value}"


def _listed(value: str | None) -> frozenset[str]:
    """Lists such as "compact,delete" have no order."""
    return frozenset((value or "").split(","))
