"""Is an archiver on this host a member of its consumer group? For container probes.

It names its host as its client id. One that is frozen, or cut off from the broker, sends
no heartbeats and is dropped: so membership, asked of the broker, tells more than a living
process does. A member without a partition is healthy too: there may be more archivers
than partitions. Not judged here: progress.
"""

import socket

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from monitoring.archive import GROUP
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import group_id

WITHIN_S = 5.0


class NoMember(Exception):
    """The text says what was found instead."""


def check(kafka: KafkaSettings) -> str:
    """Say what this host's archiver has.

    Raises
    ------
    NoMember : there is none, or no broker answers
    """
    group = group_id(kafka.prefix, GROUP)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 0})
    try:
        found = admin.describe_consumer_groups([group], request_timeout=WITHIN_S)[group].result()
    except KafkaException as error:
        raise NoMember(f"{group}: {error.args[0].str()}") from None
    here = socket.gethostname()
    members = [member for member in found.members if member.client_id.startswith(here)]
    if not members:
        raise NoMember(f"{group} has no member at {here}, of {len(found.members)} in all")
    partitions = sorted(tp.partition for m in members for tp in m.assignment.topic_partitions)
    return f"{group}: member with partitions {partitions}"
