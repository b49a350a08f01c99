"""A prefix of one's own, a store with three champions, and who may open them."""

import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import msgspec

from offline.announce import Message, alias_message, announcement_message, publish
from stream_app.contract import wire
from stream_app.contract.models import Activated
from stream_app.contract.predictions import Prediction
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import ACTIVATIONS, PREDICTIONS
from stream_app.shell import model_feed
from stream_app.shell.settings import StreamSettings
from stream_app.stages.lineups import Load
from tests import champions
from tests.builders import MARKET
from tests.integration.workers import PARTITIONS, read, worker

ANNOUNCED = {
    f"v{number}": champions.at_level(11.0 + 0.5 * number, version=f"v{number}")
    for number in (1, 2, 3)
}


class Stage(NamedTuple):
    kafka: KafkaSettings
    environment: Mapping[str, str]
    log: Path
    settings: Mapping[str, str]

    @property
    def load(self) -> Load:
        return model_feed.loader(msgspec.convert(dict(self.settings), StreamSettings))

    def worker(self, **more: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return worker(self.environment, self.log, **self.settings, **more)

    def tell(self, *messages: Message) -> None:
        publish(self.kafka, messages)

    def promote(self, version: str, previous: str | None = None) -> None:
        named = [("previous", previous), ("champion", version)]
        self.tell(
            announcement_message(ANNOUNCED[version].announced),
            *(alias_message(MARKET, alias, v, "test") for alias, v in named if v is not None),
        )

    def bundle(self, version: str) -> Path:
        return Path(self.settings["model_store"]) / ANNOUNCED[version].announced.address

    def predictions(self) -> list[Prediction]:
        seen = (s for p in range(PARTITIONS) for s in read(self.kafka, PREDICTIONS, p))
        return [wire.decode_prediction(s.value) for s in seen if s.value is not None]

    def activations(self, partition: int) -> list[Activated]:
        seen = read(self.kafka, ACTIVATIONS, partition)
        return [wire.decode_activated(s.value or b"") for s in seen]
