"""Follows housing.models: which champion and corrector serve each market now.

A thread of its own reads and loads, so that the event loop never waits for a
model. It swaps one snapshot for the next; the runner looks at it between
batches. A champion that is refused changes nothing: the old one stays.

Not here: the checks (scoring/champion.py), and when a swap counts for a
partition (the stage writes that with the first batch made with it).
"""

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_app.contract import wire
from stream_app.contract.models import (
    AliasSet,
    AnyModelMessage,
    ChampionAnnounced,
    CorrectorAnnounced,
)
from stream_app.contract.rejects import ModelRefused
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import MODELS, full_name
from stream_app.scoring import champion, corrector
from stream_app.shell.lineups import Load
from stream_app.shell.region_store import read_state, reader_config
from stream_app.shell.settings import StreamSettings
from stream_app.stages.step import PriceModel, Serving

SERVING_ALIAS = "champion"
_PARTITION = 0
_POLL_S = 0.5
_log = logging.getLogger(__name__)


class _Market(msgspec.Struct):
    announced: dict[str, ChampionAnnounced] = {}  # version ->
    wanted: str | None = None  # the version that the alias names
    serving: Serving = Serving()


class Shelf:
    """What was announced so far, and what serves because of it. No I/O but `load`."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._markets: dict[str, _Market] = {}
        self._serving: Mapping[str, Serving] = {}

    def serving(self) -> Mapping[str, Serving]:
        """A snapshot that nobody changes any more."""
        return self._serving

    def put(self, messages: list[AnyModelMessage]) -> None:
        """Take messages in, in log order; then load what serves now and did not before."""
        for message in messages:
            self._note(message)
        for market in self._markets.values():
            self._activate(market)
        self._serving = {name: market.serving for name, market in self._markets.items()}

    def _note(self, message: AnyModelMessage) -> None:
        name = message.manifest.market if isinstance(message, ChampionAnnounced) else message.market
        market = self._markets.setdefault(name, _Market())
        match message:
            case ChampionAnnounced():
                market.announced[message.manifest.version] = message
            case CorrectorAnnounced() if _fits(message):
                market.serving = market.serving._replace(corrector=message)
            case AliasSet(alias=alias, version=version) if alias == SERVING_ALIAS:
                market.wanted = version

    def _activate(self, market: _Market) -> None:
        wanted = market.announced.get(market.wanted or "")
        now = market.serving.champion
        if wanted is None or (now is not None and now.version == wanted.manifest.version):
            return
        try:
            market.serving = market.serving._replace(champion=self._load(wanted))
        except ModelRefused as error:
            _log.error("champion refused, the old one stays: %s", error)
            return
        _log.info("champion serves", extra=_named(wanted))


def _fits(announced: CorrectorAnnounced) -> bool:
    """Whether this program can use it; a step that could not would end every worker."""
    try:
        corrector.frozen_market(announced)
    except ValueError as error:
        _log.error("corrector refused, the old one stays: %s", error)
        return False
    return True


def _named(announced: ChampionAnnounced) -> dict[str, str]:
    return {"market": announced.manifest.market, "version": announced.manifest.version}


def loader(settings: StreamSettings) -> Load:
    """Load champions from the model store, trusting the one key of the settings."""

    def load(announced: ChampionAnnounced) -> PriceModel:
        return champion.load(_bundle(settings, announced), announced, _trusted_key(settings))

    return load


def _bundle(settings: StreamSettings, announced: ChampionAnnounced) -> bytes:
    if Path(announced.address).name != announced.address:
        raise ModelRefused(f"address {announced.address!r} is not a bare file name")
    path = Path(settings.model_store) / announced.address
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelRefused(f"{path} (HOUSING_STREAM_MODEL_STORE): {error}") from error


def _trusted_key(settings: StreamSettings) -> bytes:
    try:
        text = settings.trusted_key or Path(settings.trusted_key_file).read_text(encoding="ascii")
        return bytes.fromhex(text.strip())
    except (OSError, ValueError) as error:
        raise ModelRefused(
            f"no trusted key in HOUSING_STREAM_TRUSTED_KEY or {settings.trusted_key_file}: {error}"
        ) from error


def follow(admin: AdminClient, kafka: KafkaSettings, shelf: Shelf) -> None:
    """Return when all that was announced so far is on the shelf; a thread goes on from there."""
    topic = full_name(kafka.prefix, MODELS)
    stored = read_state(admin, kafka, topic, _PARTITION)
    shelf.put(_decoded(list(stored.records.values())))
    consumer = Consumer(reader_config(kafka) | {"fetch.wait.max.ms": 500})
    consumer.assign([TopicPartition(topic, _PARTITION, stored.end)])
    threading.Thread(
        target=_read_on, args=(consumer, shelf), name="model-feed", daemon=True
    ).start()


def _read_on(consumer: Consumer, shelf: Shelf) -> None:
    while True:
        messages = consumer.consume(100, timeout=_POLL_S)
        values = [value for one in messages if (value := _value(one)) is not None]
        if values:
            shelf.put(_decoded(values))


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
