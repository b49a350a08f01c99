"""Every topic: name, key, partitions, clean-up. Data; `shell/topics_admin.py` applies it.

The state is partitioned like its source, so the partition counts of the topics
that are `co_partitioned` must be equal, and are fixed when they are created.
"""

from collections.abc import Mapping

from msgspec import Struct

from stream_app.contract.spans import DAY_MS

MB = 1_000_000

EVENT_BYTES_MAX = MB
RECORD_BYTES_MAX = 2 * MB  # rejects (headers beside up to 1 MB of bytes) and state

# Two workers on two cores have two partitions each; the hand of one laptop.
# A real cluster chooses its own: `topics create --partitions`.
DEFAULT_PARTITIONS = 4

# librdkafka's name for kafka-python's and Java's default. librdkafka's own
# default is another one, and sends the same key elsewhere.
PARTITIONER = "murmur2_random"


class Topic(Struct, frozen=True):
    """One topic. `config` holds broker settings as text, as the broker takes them."""

    name: str
    key: str  # what the record's key is
    co_partitioned: bool  # as many partitions as `events`; else one
    config: Mapping[str, str]
    what: str


# What was erased must go, also where little is written: the broker compacts what is this old,
# however small the share that would be saved.
_COMPACTED_WITHIN = {"max.compaction.lag.ms": str(14 * DAY_MS)}
_COMPACTED = {
    **_COMPACTED_WITHIN,
    "cleanup.policy": "compact",
    # Small segments, or recovery reads a week of writes.
    "segment.bytes": str(32 * MB),
    "segment.ms": str(10 * 60_000),
    "min.cleanable.dirty.ratio": "0.1",
}
_FOR_EVER = {"cleanup.policy": "delete", "retention.ms": "-1"}
_LEDGER_DAYS_MS = str(400 * DAY_MS)  # as long as the ledger waits for a sale
_LEDGER_LONG = {"cleanup.policy": "delete", "retention.ms": _LEDGER_DAYS_MS}
# Compacted as well, or the tombstone of an erasure would remove nothing.
_LATEST = {
    **_COMPACTED_WITHIN,
    "cleanup.policy": "compact,delete",
    "min.compaction.lag.ms": str(7 * DAY_MS),
    "retention.ms": _LEDGER_DAYS_MS,
}
_BIG = {"max.message.bytes": str(RECORD_BYTES_MAX)}

EVENTS = Topic(
    "events",
    "region",
    True,
    {
        **_FOR_EVER,
        "message.timestamp.type": "LogAppendTime",
        # Room for one event of 1 MB and its record's overhead: the step, not the
        # broker, says what is too large, so that the publisher can read why.
        "max.message.bytes": str(RECORD_BYTES_MAX),
    },
    "what publishers send: listings, sales, corrections, withdrawals, erasures",
)
PREDICTIONS = Topic(
    "predictions",
    "listing_id",
    True,
    _LATEST,
    "the price of each listing; all of the last 7 days, the latest for 400 days",
)
SHADOW = Topic(
    "shadow",
    "listing_id",
    True,
    _LATEST,
    "what challengers would have said; kept like predictions, so that an erasure reaches it",
)
OUTCOMES = Topic("outcomes", "market", True, _FOR_EVER, "a prediction joined with its sale")
REJECTS = Topic(
    "rejects",
    "original key",
    True,
    {**_LEDGER_LONG, **_BIG},
    "what was refused: original bytes, the reason in the headers",
)
STATE = Topic(
    "state", "kind:id", True, {**_COMPACTED, **_BIG}, "the scorer's regions, ledger and control"
)
ACTIVATIONS = Topic(
    "activations", "partition", True, _FOR_EVER, "which models served from which offset on"
)
LEARNER_STATE = Topic(
    "learner-state", "kind:id", True, {**_COMPACTED, **_BIG}, "the learner's own state"
)
MODELS = Topic(
    "models",
    "<market>/<kind>/<version>",
    False,
    {**_COMPACTED, **_BIG},
    "champions, correctors and aliases as announced",
)
ALERTS = Topic("alerts", "fingerprint", False, _FOR_EVER, "alerts, decisions, requests, answers")

TOPICS: tuple[Topic, ...] = (
    EVENTS,
    PREDICTIONS,
    SHADOW,
    OUTCOMES,
    REJECTS,
    STATE,
    ACTIVATIONS,
    LEARNER_STATE,
    MODELS,
    ALERTS,
)


def full_name(prefix: str, topic: Topic) -> str:
    """Name the topic as the broker knows it.

    >>> full_name("housing", EVENTS)
    'housing.events'
    """
    return f"{prefix}.{topic.name}"


def group_id(prefix: str, program: str) -> str:
    """Name the consumer group of a program.

    >>> group_id("housing", "scorer")
    'housing.scorer'
    """
    return f"{prefix}.{program}"


def transactional_id(prefix: str, stage: str, topic: Topic, partition: int) -> str:
    """Name the one producer that may write for this source partition.

    >>> transactional_id("housing", "scorer", EVENTS, 3)
    'housing-scorer-events-3'
    """
    return f"{prefix}-{stage}-{topic.name}-{partition}"
