"""Follows housing.models, so that the shelf holds what serves each market now.

One thread reads and swaps, another one opens models, so that neither the event loop
nor a roll back waits for a file. A third one sees that the topic is still the one that was
read. The runner looks at the shelf between batches.

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
from stream_app.contract.rejects import ModelNotOpened, ModelRefused, ModelUnavailable
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import ACTIVATIONS, MODELS, full_name
from stream_app.scoring import champion
from stream_app.shell import history, model_check, source
from stream_app.shell.model_check import Finding
from stream_app.shell.region_store import read_state, reader_config
from stream_app.shell.settings import StreamSettings
from stream_app.shell.shelf import Open, Opened, Shelf
from stream_app.stages.lineups import Load
from stream_app.stages.step import PriceModel

_PARTITION = 0
_POLL_S = 0.5
SILENCE_S = 60.0
_ANNOUNCE_AGAIN = (
    "what was announced on the old one is lost. Started anew, a worker follows the new one: "
    "announce the champions again (`python -m offline promote --market M --version V`); what was "
    "served before cannot be replayed any more"
)
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

    def open_(announced: Sequence[ChampionAnnounced]) -> list[Opened]:
        try:
            key = _trusted_key(settings)
        except ModelNotOpened as error:
            return [error] * len(announced)
        found = model_check.findings(announced, Path(settings.model_store), key)
        return [_opened(load, *pair) for pair in zip(announced, found, strict=True)]

    return open_


def _opened(load: Load, announced: ChampionAnnounced, found: Finding) -> Opened:
    if found.failure is not None:
        return found.error()
    try:
        return load(announced)
    except ModelNotOpened as error:
        return error


def _trusted_key(settings: StreamSettings) -> bytes:
    asked = f"HOUSING_STREAM_TRUSTED_KEY or {settings.trusted_key_file}"
    try:
        text = settings.trusted_key or Path(settings.trusted_key_file).read_text(encoding="ascii")
        return bytes.fromhex(text.strip())
    except OSError as error:
        raise ModelUnavailable(f"no trusted key in {asked}: {error}") from error
    except ValueError as error:
        raise ModelRefused(f"no trusted key in {asked}: {error}") from error


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
    found = source.describe(admin, topic)
    stored = read_state(admin, kafka, topic, _PARTITION)
    shelf.put(list(decoded(stored.records.values())))
    shelf.fill()
    if shelf.unserved():
        shelf.remember(_served_last(admin, kafka))
        shelf.fill()
    wanted = threading.Event()

    def take(values: list[bytes]) -> None:
        shelf.put(list(decoded(values)))
        wanted.set()

    for work, arguments in (
        (_read_on, (kafka, topic, stored.end, take)),
        (_open_on, (shelf, wanted)),
        (source.watch, (admin, topic, _ANNOUNCE_AGAIN, found)),
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
    """Open what is new, and try again what could not be opened, when it is time."""
    while True:
        wanted.wait(shelf.fill())
        wanted.clear()


def _served_last(admin: AdminClient, kafka: KafkaSettings) -> dict[str, str]:
    """Market -> the newest champion that an activation names, of whichever partition."""
    topic = source.describe(admin, full_name(kafka.prefix, ACTIVATIONS))
    newest: dict[str, tuple[int, str]] = {}
    for partition in range(topic.partitions):
        for message in history.committed(admin, kafka, ACTIVATIONS, partition):
            told = wire.decode_activated(message.value())
            _, at_ms = message.timestamp()
            if told.champion is not None and at_ms >= newest.get(told.market, (0, ""))[0]:
                newest[told.market] = (at_ms, told.champion)
    return {market: version for market, (_, version) in newest.items()}
