"""What `housing.models` says of a market now: that is what serves, whatever MLflow knows."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from offline import log
from stream_app.contract import wire
from stream_app.contract.models import (
    Alias,
    AliasSet,
    AnyModelMessage,
    ChampionAnnounced,
    RolloutSet,
)
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import MODELS, full_name

_PARTITION = 0


class Announced(Struct):
    """One market's champions, aliases and rollout."""

    market: str
    champions: dict[str, ChampionAnnounced] = {}  # version ->
    aliases: dict[str, str] = {}  # alias -> version
    serving: AliasSet | None = None  # the newest word on who is champion
    rollout: RolloutSet | None = None


def read(kafka: KafkaSettings, market: str) -> Announced:
    """Read the topic to where it ends now.

    Raises
    ------
    BrokerAway : no broker answers
    LogUnreadable : there is no such topic
    """
    return of(market, _values(kafka))


def messages(kafka: KafkaSettings) -> Iterator[AnyModelMessage]:
    """All that the topic says of all markets, up to where it ends now.

    Raises
    ------
    BrokerAway : no broker answers
    LogUnreadable : there is no such topic
    """
    return _decoded(_values(kafka))


def _values(kafka: KafkaSettings) -> Iterator[bytes]:
    topic = full_name(kafka.prefix, MODELS)
    log.partitions_of(kafka, topic)  # says what is wrong if it is not there
    return (r.value or b"" for r in log.records(kafka, topic, _PARTITION))


def _decoded(values: Iterable[bytes]) -> Iterator[AnyModelMessage]:
    """Read records; what no scorer would follow (a tombstone) is left out."""
    for value in values:
        try:
            yield wire.decode_model_message(value)
        except msgspec.MsgspecError:
            continue


def of(market: str, values: Iterable[bytes]) -> Announced:
    """Take records in, in log order."""
    found = Announced(market)
    for message in _decoded(values):
        match message:
            case ChampionAnnounced(manifest=manifest) if manifest.market == market:
                found.champions[manifest.version] = message
            case AliasSet() if message.market == market:
                found.aliases[message.alias] = message.version
                found.serving = message if message.alias == Alias.CHAMPION else found.serving
            case RolloutSet() if message.market == market:
                found.rollout = message
    return found
