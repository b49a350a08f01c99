"""The models that serve in a bench: trained, promoted and corrected once, as a user would.

Kept in a folder named by what they depend on. Each round is told of them by the very records
that `offline promote` and the learner published.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import sklearn
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from bench import load
from bench.ground import FOLDER, Ground, make_topics
from bench.load import Message
from bench.say import say
from stream_app.contract import wire
from stream_app.contract.models import ChampionAnnounced, CorrectorAnnounced
from stream_app.contract.topics import EVENTS, MODELS, full_name
from stream_app.core.features import FEATURE_SET, NAMES

# As `train` chooses it for King County before 2014-12, the champion of the demo.
SHAPE = '{"loss": "absolute_error", "leaves": 31, "trees": 200}'
_TRAIN_TO = "2014-12-01"
_PREFIX = "bench-seed"
_ANNOUNCED = "announced.json"
_EVENTS_TO_LEARN = 15_000  # 2,600 sales with a champion's answer before them
_LEARNED_WITHIN_S = 120.0


class Models(NamedTuple):
    """Where the champion lies, and what is to be published so that it serves."""

    folder: Path
    messages: Sequence[Message]

    @classmethod
    def of(cls, folder: Path) -> "Models":
        """Those that lie in a folder."""
        kept = (folder / _ANNOUNCED).read_bytes()
        return cls(folder, msgspec.json.decode(kept, type=list[Message]))

    def keep(self) -> None:
        """Write down what is announced, beside the models."""
        (self.folder / "features.json").write_text(json.dumps(NAMES))
        (self.folder / _ANNOUNCED).write_bytes(msgspec.json.encode(self.messages))

    @property
    def environment(self) -> dict[str, str]:
        """What tells a worker where its models are."""
        return {
            "HOUSING_STREAM_MODEL_STORE": str(self.folder / "models"),
            "HOUSING_STREAM_TRUSTED_KEY_FILE": str(self.folder / "signing.pub"),
        }

    def champion(self) -> ChampionAnnounced:
        return next(m for m in self.announced() if isinstance(m, ChampionAnnounced))

    def corrector(self) -> CorrectorAnnounced | None:
        """The newest one."""
        found = [m for m in self.announced() if isinstance(m, CorrectorAnnounced)]
        return found[-1] if found else None

    def announced(self) -> list[object]:
        return [wire.decode_model_message(message.value) for message in self.messages]

    def bundle(self) -> Path:
        return self.folder / "models" / self.champion().address


def models(ground: Ground) -> Models:
    """Those of an earlier run, if they were made for this version; else made now."""
    folder = _folder()
    if not (folder / _ANNOUNCED).exists():
        say("training a champion, once; a minute or two")
        Models(folder, _made(ground, folder)).keep()
    return kept()


def kept() -> Models:
    """Those of an earlier run.

    Raises
    ------
    FileNotFoundError : there was none
    """
    return Models.of(_folder())


def _folder() -> Path:
    return (FOLDER / f"models-{FEATURE_SET}-{sklearn.__version__}").absolute()


def _made(ground: Ground, folder: Path) -> list[Message]:
    """Train, promote, and let a learner correct, under topics of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    programs = ground.programs
    programs.set_environment(_places(folder) | {"HOUSING_KAFKA_PREFIX": _PREFIX})
    make_topics(ground, _PREFIX)
    market = ("--market", load.MARKET)
    source = ("--source", load.MARKET, "--train-to", _TRAIN_TO)
    programs.run("train", "offline", "train", *market, *source, "--shape", SHAPE)
    programs.run("promote", "offline", "promote", *market, "--without-gate", "for the bench")
    programs.set_environment(Models(folder, ()).environment)
    scorer = programs.start("seed-scorer", "stream_app", "worker", "--stage", "scorer")
    learner = programs.start("seed-learner", "stream_app", "worker", "--stage", "learner")
    sent = list(load.told(load.real_events()[:_EVENTS_TO_LEARN], 1))
    load.publish(ground.brokers, full_name(_PREFIX, EVENTS), sent)
    found: list[Message] = []

    def corrected() -> bool:
        found[:] = _published(ground.brokers)
        return any(
            isinstance(wire.decode_model_message(message.value), CorrectorAnnounced)
            for message in found
        )

    programs.await_(corrected, _LEARNED_WITHIN_S, learner, "announce a corrector")
    programs.stop(scorer)
    programs.stop(learner)
    return found


def _places(folder: Path) -> dict[str, str]:
    return {
        "HOUSING_OFFLINE_MODEL_STORE": str(folder / "models"),
        "HOUSING_OFFLINE_SIGNING_KEY_FILE": str(folder / "signing.key"),
        "HOUSING_OFFLINE_MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "HOUSING_OFFLINE_MLFLOW_ARTIFACTS": str(folder / "artifacts"),
        "HOUSING_OFFLINE_TRAIL_FILE": str(folder / "trail.jsonl"),
    }


def _published(brokers: str, silence_s: float = 2.0) -> list[Message]:
    """What stands on the models topic now."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"{_PREFIX}.bench",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    consumer.assign([TopicPartition(full_name(_PREFIX, MODELS), 0, OFFSET_BEGINNING)])
    found: list[Message] = []
    heard_s = time.monotonic()
    while time.monotonic() - heard_s < silence_s:
        for message in consumer.consume(100, timeout=0.2):
            heard_s = time.monotonic()
            found.append(Message(message.key(), message.value()))
    consumer.close()
    return found
