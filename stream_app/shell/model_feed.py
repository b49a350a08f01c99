"""Follows housing.models, so that the shelf holds what serves each market now.

One thread reads and swaps, another one opens models, so that neither the event loop
nor a roll back waits for a file. The runner looks at the shelf between batches.

Not here: which model serves (shelf.py), the checks (scoring/champion.py), and when a
swap counts for a partition (the stage writes that with the first batch made with it).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_app.contract import wire
from stream_app.contract.models import AnyModelMessage, ChampionAnnounced
from stream_app.contract.rejects import ModelRefused
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import MODELS, full_name
from stream_app.scoring import champion
from stream_app.shell import model_check
from stream_app.shell.region_store import read_state, reader_config
from stream_app.shell.settings import StreamSettings
from stream_app.shell.shelf import Open, Shelf
from stream_app.stages.lineups import Load
from stream_app.stages.step import PriceModel

_PARTITION = 0
_POLL_S = 0.5
SILENCE_S = 60.0
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


def decoded(values: Iterable[bytes | None]) -> Iterator[AnyModelMessage]:
    """The messages among a topic's values. What is none is logged and passed over; erased ones too.

    All that read the topic to know what served must skip the same records.
    """
    for value in values:
        if value is None:
            continue
        try:
            yield wire.decode_model_message(value)
        except msgspec.MsgspecError as error:
            _log.error("a record of %s is no model message: %s", MODELS.name, error)


def follow(admin: AdminClient, kafka: KafkaSettings, shelf: Shelf) -> None:
    """Return when all that was announced so far is on the shelf; threads go on from there."""
    topic = full_name(kafka.prefix, MODELS)
    stored = read_state(admin, kafka, topic, _PARTITION)
    shelf.put(list(decoded(stored.records.values())))
    shelf.fill()
    wanted = threading.Event()

    def take(values: list[bytes]) -> None:
        shelf.put(list(decoded(values)))
        wanted.set()

    for work, arguments in (
        (_read_on, (kafka, topic, stored.end, take)),
        (_open_on, (shelf, wanted)),
    ):
        threading.Thread(target=work, args=arguments, name=work.__name__, daemon=True).start()


def _read_on(
    kafka: KafkaSettings, topic: str, at: int, take: Callable[[list[bytes]], None]
) -> None:
    """Read with one client until it has been silent for long, then go on with a new one.

    A client whose broker had gone and come back was once seen to hear nothing more. A
    new one costs a connection, and a swap that nobody hears of costs trust.
    """
    while True:
        consumer = Consumer(reader_config(kafka) | {"fetch.wait.max.ms": 500})
        consumer.assign([TopicPartition(topic, _PARTITION, at)])
        at = read_until_silent(consumer, at, take)
        consumer.close()


def read_until_silent(
    consumer: Consumer,
    at: int,
    take: Callable[[list[bytes]], None],
    silence_s: float = SILENCE_S,
) -> int:
    """Pass on what comes until nothing has come for `silence_s`; give the offset to go on from."""
    heard_s = time.monotonic()
    while time.monotonic() - heard_s < silence_s:
        # Whatever comes first is not kept waiting for more.
        messages = consumer.consume(1, timeout=_POLL_S)
        messages += consumer.consume(100, timeout=0)
        records = [one for one in messages if one.error() is None]
        if records:
            heard_s, at = time.monotonic(), records[-1].offset() + 1
            values = [value for one in records if (value := one.value()) is not None]  # not erased
            if values:
                take(values)
    return at


def _open_on(shelf: Shelf, wanted: threading.Event) -> None:
    while True:
        wanted.wait()
        wanted.clear()
        shelf.fill()
