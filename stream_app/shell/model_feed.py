"""Follows housing.models, so that the shelf holds what serves each market now.

One thread reads and swaps, another one opens models, so that neither the event loop
nor a roll back waits for a file. The runner looks at the shelf between batches.

Not here: which model serves (shelf.py), the checks (scoring/champion.py), and when a
swap counts for a partition (the stage writes that with the first batch made with it).
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_app.contract import wire
from stream_app.contract.models import AnyModelMessage, ChampionAnnounced
from stream_app.contract.rejects import ModelRefused
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import MODELS, full_name
from stream_app.scoring import champion
from stream_app.shell import model_check
from stream_app.shell.lineups import Load
from stream_app.shell.region_store import read_state, reader_config
from stream_app.shell.settings import StreamSettings
from stream_app.shell.shelf import Open, Shelf
from stream_app.stages.step import PriceModel

_PARTITION = 0
_POLL_S = 0.5
_log = logging.getLogger(__name__)


def loader(settings: StreamSettings) -> Load:
    """Load champions from the model store, trusting the one key of the settings."""

    def load(announced: ChampionAnnounced) -> PriceModel:
        bundle = model_check.read_bundle(Path(settings.model_store), announced)
        return champion.load(bundle, announced, _trusted_key(settings))

    return load


def opener(settings: StreamSettings) -> Open:
    """Open champions here that a child process has opened without harm."""
    load = loader(settings)

    def open_(announced: Sequence[ChampionAnnounced]) -> list[PriceModel | ModelRefused]:
        try:
            key = _trusted_key(settings)
        except ModelRefused as error:
            return [error] * len(announced)
        told = model_check.failures(announced, Path(settings.model_store), key)
        pairs = zip(announced, told, strict=True)
        return [_opened(load, one, failure) for one, failure in pairs]

    return open_


def _opened(
    load: Load, announced: ChampionAnnounced, failure: str | None
) -> PriceModel | ModelRefused:
    if failure is not None:
        return ModelRefused(failure)
    try:
        return load(announced)
    except ModelRefused as error:
        return error


def _trusted_key(settings: StreamSettings) -> bytes:
    try:
        text = settings.trusted_key or Path(settings.trusted_key_file).read_text(encoding="ascii")
        return bytes.fromhex(text.strip())
    except (OSError, ValueError) as error:
        raise ModelRefused(
            f"no trusted key in HOUSING_STREAM_TRUSTED_KEY or {settings.trusted_key_file}: {error}"
        ) from error


def follow(admin: AdminClient, kafka: KafkaSettings, shelf: Shelf) -> None:
    """Return when all that was announced so far is on the shelf; threads go on from there."""
    topic = full_name(kafka.prefix, MODELS)
    stored = read_state(admin, kafka, topic, _PARTITION)
    shelf.put(_decoded(list(stored.records.values())))
    shelf.fill()
    consumer = Consumer(reader_config(kafka) | {"fetch.wait.max.ms": 500})
    consumer.assign([TopicPartition(topic, _PARTITION, stored.end)])
    wanted = threading.Event()
    for work, arguments in ((_read_on, (consumer, shelf, wanted)), (_open_on, (shelf, wanted))):
        threading.Thread(target=work, args=arguments, name=work.__name__, daemon=True).start()


def _read_on(consumer: Consumer, shelf: Shelf, wanted: threading.Event) -> None:
    while True:
        # Whatever comes first is not kept waiting for more.
        messages = consumer.consume(1, timeout=_POLL_S)
        messages += consumer.consume(100, timeout=0)
        values = [value for one in messages if (value := _value(one)) is not None]
        if values:
            shelf.put(_decoded(values))
            wanted.set()


def _open_on(shelf: Shelf, wanted: threading.Event) -> None:
    while True:
        wanted.wait()
        wanted.clear()
        shelf.fill()


def _value(message: Message) -> bytes | None:
    """What a record holds; None for a tombstone, an end mark, or a fault the client mends."""
    return message.value() if message.error() is None else None


def _decoded(values: list[bytes]) -> list[AnyModelMessage]:
    messages = []
    for value in values:
        try:
            messages.append(wire.decode_model_message(value))
        except msgspec.MsgspecError as error:
            _log.error("a record of %s is no model message: %s", MODELS.name, error)
    return messages
