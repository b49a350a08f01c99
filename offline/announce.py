"""Puts a version into service: tells it on `housing.models`, where scorers listen."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from confluent_kafka import KafkaException, Producer
from confluent_kafka import Message as ConfluentMessage
from msgspec import Struct

from offline.faults import NotRegistered
from stream_app.contract import wire
from stream_app.contract.models import Alias, AliasSet, ChampionAnnounced, RolloutMode, RolloutSet
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import MODELS, PARTITIONER, RECORD_BYTES_MAX, full_name

DELIVERY_TIMEOUT_S = 30


class NotAnnounced(Exception):
    """The broker did not confirm: whoever serves goes on as before."""


class Held(Exception):
    """The audit holds the version back, and nobody has said that he looked."""


class Message(NamedTuple):
    """One record for `housing.models`."""

    key: str
    value: bytes


Send = Callable[[KafkaSettings, Sequence[Message]], None]


class Versions(Protocol):
    """What is asked of the aliases."""

    def announcement(self, version: str) -> ChampionAnnounced: ...

    def alias(self, alias: str) -> str | None: ...

    def set_alias(self, alias: str, version: str) -> None: ...

    def held(self, version: str) -> str | None: ...

    def review(self, version: str, reason: str) -> None: ...


class Promotion(Struct, frozen=True):
    """What was announced."""

    market: str
    version: str
    previous: str | None
    reason: str


def promote(
    versions: Versions,
    send: Send,
    kafka: KafkaSettings,
    market: str,
    version: str | None,
    reason: str,
    reviewed: str | None = None,
) -> Promotion:
    """Announce a version (the challenger if none is named) as the market's champion.

    The broker is told first and MLflow after: what is not confirmed has not happened.
    `reviewed` is why a version that the audit holds may be served all the same.

    Raises
    ------
    NotRegistered : no such version, or no challenger
    Held : the audit holds the version, and there is no review of it
    NotAnnounced : the broker did not confirm
    """
    version = version or versions.alias(Alias.CHALLENGER)
    if version is None:
        raise NotRegistered(f"{market}: nothing was trained yet")
    announced = versions.announcement(version)
    if reviewed is not None:
        versions.review(version, reviewed)
    held = versions.held(version)
    if held is not None:
        raise Held(f"{version} is held: {held}; look, then say why it may serve: --reviewed REASON")
    before = versions.alias(Alias.CHAMPION)
    # The same champion again changes nothing: the way back stays what it was.
    previous = versions.alias(Alias.PREVIOUS) if before == version else before
    told = _messages(announced, previous, reason)
    if previous is not None:
        told = [announcement_message(versions.announcement(previous)), *told]
    if before != version:
        # Whoever was tried out beside the old champion is not tried out beside the new one.
        told.append(rollout_message(market, RolloutMode.OFF, 0.0, reason))
    send(kafka, told)
    if previous is not None:
        versions.set_alias(Alias.PREVIOUS, previous)
    versions.set_alias(Alias.CHAMPION, version)
    return Promotion(market, version, previous, reason)


def announcement_message(announced: ChampionAnnounced) -> Message:
    manifest = announced.manifest
    return Message(f"{manifest.market}/champion/{manifest.version}", wire.encode(announced))


def _messages(announced: ChampionAnnounced, previous: str | None, reason: str) -> list[Message]:
    """The version before its alias, so that nobody is told to serve what he does not know."""
    manifest = announced.manifest
    named = [(Alias.PREVIOUS, previous), (Alias.CHAMPION, manifest.version)]
    return [
        announcement_message(announced),
        *(
            alias_message(manifest.market, alias, version, reason)
            for alias, version in named
            if version is not None
        ),
    ]


def alias_message(market: str, alias: str, version: str, reason: str) -> Message:
    message = AliasSet(market=market, alias=alias, version=version, reason=reason)
    return Message(f"{market}/alias/{alias}", wire.encode(message))


def rollout_message(market: str, mode: RolloutMode, share: float, reason: str) -> Message:
    message = RolloutSet(market=market, mode=mode, share=share, reason=reason)
    return Message(f"{market}/rollout", wire.encode(message))


def publish(kafka: KafkaSettings, messages: Sequence[Message]) -> None:
    """Send in order; return when all are confirmed.

    Raises
    ------
    NotAnnounced : names the first that was not confirmed
    """
    failures: list[str] = []

    def note(error: object, sent: ConfluentMessage) -> None:
        if error is not None:
            failures.append(f"{sent.key()!r}: {error}")

    topic = full_name(kafka.prefix, MODELS)
    producer = Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "enable.idempotence": True,  # and with it acks=all, in order
            "partitioner": PARTITIONER,
            "message.max.bytes": RECORD_BYTES_MAX,
            "log_level": 2,  # what failed is told once, by us
            "message.timeout.ms": DELIVERY_TIMEOUT_S * 1000,
        }
    )
    for message in messages:
        producer.produce(
            topic,
            message.value,
            message.key,
            partition=0,
            on_delivery=note,
        )
    try:
        unsent = producer.flush(DELIVERY_TIMEOUT_S + 5)
    except KafkaException as error:
        raise NotAnnounced(f"{topic}: {error}") from error
    if unsent or failures:
        raise NotAnnounced(f"{topic}: {failures[0] if failures else f'{unsent} unconfirmed'}")
