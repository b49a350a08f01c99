"""Whether a replay gives what is on `housing.predictions`, byte for byte."""

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from offline import log
from offline.difference import Place, predictions
from offline.replay import Placed
from stream_app.contract import wire
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import PREDICTIONS, full_name
from stream_app.stages.step import Output

EXAMPLES = 5


class Verdict(Struct, frozen=True):
    """Of the predictions of a range that the topic still holds."""

    equal: int
    different: int  # other bytes, or not given by the replay at all
    not_kept: int  # superseded, erased or too old: the topic does not hold them any more
    examples: tuple[str, ...]  # listings whose prediction is different


class Rescored:
    """Holds a replay to what was served."""

    def __init__(self, market: str, kept: dict[Place, bytes]) -> None:
        self._market = market
        self._kept = kept  # where the listing lies -> hash of the prediction
        self._equal = self._not_kept = 0
        self._different: list[str] = []

    def take(self, chunk: Sequence[Placed], outputs: Sequence[Output]) -> None:
        """Take in what the replay made of a chunk."""
        given = {
            (said.source_partition, said.source_offset): said
            for said in predictions(outputs, self._market)
        }
        for number, line in chunk:
            place = number, line.record.offset
            said, kept = given.get(place), self._kept.get(place)
            if kept is None:
                self._not_kept += said is not None
            elif said is not None and digest(wire.encode(said)) == kept:
                self._equal += 1
            else:
                self._different.append(line.head.listing_id)

    def verdict(self) -> Verdict:
        return Verdict(
            self._equal, len(self._different), self._not_kept, tuple(self._different[:EXAMPLES])
        )


def digest(value: bytes) -> bytes:
    """Enough of a hash to tell predictions apart: the topic may hold millions."""
    return hashlib.blake2b(value, digest_size=16).digest()


def kept(kafka: KafkaSettings, market: str) -> dict[Place, bytes]:
    """What the topic holds of a market.

    Raises
    ------
    BrokerAway : no broker answers
    LogUnreadable : there is no such topic
    """
    topic = full_name(kafka.prefix, PREDICTIONS)
    found: dict[Place, bytes] = {}
    for number in log.partitions_of(kafka, topic):
        for record in log.records(kafka, topic, number):
            if record.value is None:
                continue
            try:
                said = wire.decode_prediction(record.value)
            except msgspec.MsgspecError:
                continue  # somebody else's record
            if said.market == market:
                found[said.source_partition, said.source_offset] = digest(record.value)
    return found
