"""The source topic as the broker has it: its id, its partitions, where each begins and ends.

State is only worth something together with the log it was made from. So it is compared when
a partition is opened, and watched from then on: a reader whose topic was created anew under
it would go on in the new one, in the middle.
"""

import contextlib
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Any, NamedTuple, NoReturn

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from stream_app.contract.rejects import SourceChanged

_TIMEOUT_S = 30.0
_LOOK_TIMEOUT_S = 5.0
_PAUSE_S = 0.1
_WATCH_EVERY_S = 5.0
_GONE_LOOKS = 3  # a broker that has just started may not have heard of a topic yet
_NO_LEADER_YET = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError._NOENT,  # "no leaders found", while a broker comes back
}
# What mends state whose log is another one.
FRESH_START = (
    "delete the state and output topics of this prefix and create them anew "
    "(`python -m stream_app topics create`), or choose another HOUSING_KAFKA_PREFIX"
)


class NoSuchTopic(SourceChanged):
    """It is gone, or was never made."""


class Source(NamedTuple):
    topic: str
    topic_id: str
    partitions: int


class Bounds(NamedTuple):
    start: int  # first offset that is still there
    end: int  # one past the last


def describe(admin: AdminClient, topic: str) -> Source:
    """Ask the broker for a topic's id and size."""
    found = _answer(
        admin,
        lambda: admin.describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT_S)[topic],
        topic,
    )
    return Source(topic, str(found.topic_id), len(found.partitions))


def bounds(
    admin: AdminClient,
    topic: str,
    partition: int,
    isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
) -> Bounds:
    """Ask where a partition begins and ends; read committed, it ends at the last stable offset."""
    where = TopicPartition(topic, partition)

    def offset(spec: OffsetSpec) -> int:
        asked = {where: spec}
        return int(
            _answer(
                admin,
                lambda: admin.list_offsets(
                    asked, isolation_level=isolation, request_timeout=_TIMEOUT_S
                )[where],
                topic,
            ).offset
        )

    return Bounds(offset(OffsetSpec.earliest()), offset(OffsetSpec.latest()))


def ends(admin: AdminClient, topic: str, partitions: Collection[int]) -> dict[int, int | None]:
    """Ask once where partitions end for a committed reader; None: the broker did not say."""
    asked = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in partitions}
    answers = admin.list_offsets(
        asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_LOOK_TIMEOUT_S
    )
    found = {where.partition: _offset(answer) for where, answer in answers.items()}
    if None in found.values():
        _ask_who_leads(admin)  # or a restarted broker would never tell us again: see _answer
    return found


def _offset(answer: Future[Any]) -> int | None:
    try:
        return int(answer.result(2 * _LOOK_TIMEOUT_S).offset)
    except (KafkaException, TimeoutError):
        return None


def _answer(admin: AdminClient, ask: Callable[[], Future[Any]], topic: str) -> Any:  # noqa: ANN401 - untyped library
    """Ask until there is a leader to answer, which takes a moment when a topic or a broker is new.

    A client that has lived through a restart of its broker goes on asking in the name of the
    leader that was, and is refused, until it asks who leads now.
    """
    deadline_s = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            return ask().result()
        except KafkaException as error:
            code = error.args[0].code()
            if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise NoSuchTopic(
                    f"{topic}: no such topic; `python -m stream_app topics create` makes it"
                ) from error
            if code not in _NO_LEADER_YET or time.monotonic() > deadline_s:
                raise
            time.sleep(_PAUSE_S)
            _ask_who_leads(admin)


def _ask_who_leads(admin: AdminClient) -> None:
    with contextlib.suppress(KafkaException):  # what matters is the next answer
        admin.list_topics(timeout=_LOOK_TIMEOUT_S)


def check_unchanged(
    source: Source, bounds: Bounds, partition: int, topic_id: str, applied: int
) -> None:
    """See that the state, made of `topic_id` up to offset `applied`, belongs to this log.

    Raises
    ------
    SourceChanged : recreated, cut off at its end, or shortened at its start
    """
    where = f"{source.topic} partition {partition}"
    if topic_id != source.topic_id:
        raise SourceChanged(
            f"{where}: the topic was created anew: its id is {source.topic_id}, "
            f"the state was made from {topic_id}; {FRESH_START}"
        )
    if applied + 1 > bounds.end:
        raise SourceChanged(
            f"{where}: the state has applied offset {applied}, but the log ends before "
            f"{bounds.end}: records are lost; restore the log, or {FRESH_START}"
        )
    if bounds.start > applied + 1:
        raise SourceChanged(
            f"{where}: offsets {applied + 1} to {bounds.start - 1} were deleted before they were "
            f"applied; restore the log (and raise retention.ms), or {FRESH_START}"
        )


def watch(admin: AdminClient, topic: str, remedy: str, found: Source | None = None) -> NoReturn:
    """Look every few seconds whether a topic is still the one that was `found`, or seen first.

    Raises
    ------
    SourceChanged : it was created anew, or is gone; this ends a worker, whose thread it is
    """
    gone = 0
    while True:
        try:
            now = describe(admin, topic)
            gone, found = 0, found or now
            check_same(found, now, remedy)
        except NoSuchTopic:
            gone += 1
            if gone == _GONE_LOOKS:
                raise
        except KafkaException:
            pass  # nobody answers: that says nothing of it
        time.sleep(_WATCH_EVERY_S)


def check_same(found: Source, now: Source, remedy: str) -> None:
    """See that this is the topic that was found.

    Raises
    ------
    SourceChanged : another one has its name
    """
    if now.topic_id != found.topic_id:
        raise SourceChanged(
            f"{now.topic}: the topic was created anew: its id is {now.topic_id}, it was "
            f"{found.topic_id}; {remedy}"
        )
