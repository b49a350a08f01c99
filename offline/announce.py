"""Tells on `housing.models` who serves, where scorers listen.

Not here: who may serve (promote.py, rollout.py).
"""

from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import KafkaException, Producer
from msgspec import Struct

from offline.faults import NotAnnounced
from offline.writing import writer_config
from stream_app.contract import wire
from stream_app.contract.models import (
    AliasSet,
    ChampionAnnounced,
    RolloutMode,
    RolloutSet,
    SegmentShift,
)
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import MODELS, full_name

DELIVERY_TIMEOUT_S = 30
# Producers of which a transaction failed: one that is let go after it was fenced can spoil
# the heap of its process (stream_app/shell/publisher.py).
_LEFT_ALONE: list[Producer] = []


class Message(NamedTuple):
    """One record for `housing.models`."""

    key: str
    value: bytes


class Change(Struct, frozen=True):
    """What to announce, and what the aliases are then."""

    messages: Sequence[Message]
    aliases: dict[str, str]  # the changed ones


def announcement_message(announced: ChampionAnnounced) -> Message:
    manifest = announced.manifest
    return Message(f"{manifest.market}/champion/{manifest.version}", wire.encode(announced))


def alias_message(
    market: str,
    alias: str,
    version: str,
    reason: str,
    replaces: str | None = None,
    expected_shift: tuple[SegmentShift, ...] = (),
) -> Message:
    message = AliasSet(
        market=market,
        alias=alias,
        version=version,
        reason=reason,
        replaces=replaces,
        expected_shift=expected_shift,
    )
    return Message(f"{market}/alias/{alias}", wire.encode(message))


def rollout_message(market: str, mode: RolloutMode, share: float, reason: str) -> Message:
    message = RolloutSet(market=market, mode=mode, share=share, reason=reason)
    return Message(f"{market}/rollout", wire.encode(message))


def publish(kafka: KafkaSettings, messages: Sequence[Message]) -> None:
    """Send in order and in one transaction: a reader of what is committed sees all or nothing.

    Who dies in the middle has told nobody; `housing.models` stands still until the broker
    gives the transaction up, after `DELIVERY_TIMEOUT_S`.

    Raises
    ------
    NotAnnounced : the broker did not confirm
    """
    topic = full_name(kafka.prefix, MODELS)
    producer = Producer(
        writer_config(kafka)
        | {
            # One for all markets: who comes second ends the transaction of who came first.
            "transactional.id": f"{kafka.prefix}.offline",
            "transaction.timeout.ms": DELIVERY_TIMEOUT_S * 1000,
        }
    )
    try:
        producer.init_transactions(DELIVERY_TIMEOUT_S)
        producer.begin_transaction()
        for message in messages:
            producer.produce(topic, message.value, message.key, partition=0)
        producer.commit_transaction(DELIVERY_TIMEOUT_S)
    except KafkaException as error:
        _LEFT_ALONE.append(producer)
        raise NotAnnounced(f"{topic}: {error.args[0].str()}") from error
