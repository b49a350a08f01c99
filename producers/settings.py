"""What a publisher can set: sections KAFKA (shared) and PRODUCERS.

The one place of this program that reads the environment and the settings file.
"""

import os
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from stream_app.contract.settings import KafkaSettings, gathered, read


class ProducerSettings(Struct, frozen=True):
    """Section PRODUCERS."""

    # Of everything simulated: another seed is another history of listing dates.
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    # Fills batches when events come thick; costs a lone event this much latency.
    linger_ms: Annotated[int, Meta(ge=0, le=10_000)] = 5
    batch_bytes: Annotated[int, Meta(ge=0, le=1_000_000)] = 131_072
    # A broker that does not answer by then is told as absent.
    connect_timeout_s: Annotated[float, Meta(gt=0, le=600)] = 10.0
    # How long one event may stay unconfirmed before the sender gives up.
    delivery_timeout_s: Annotated[float, Meta(gt=0, le=3_600)] = 120.0
    # Weaker values are refused: they lose or double events without a word.
    acks: str = "all"
    idempotence: bool = True


def from_environment() -> tuple[KafkaSettings, ProducerSettings]:
    """Both sections from the environment and the settings file.

    Raises
    ------
    BadSettings : naming every mistake at once
    """
    given = gathered(os.environ, lambda path: Path(path).read_text(encoding="utf-8"))
    return read(KafkaSettings, given, "KAFKA"), read(ProducerSettings, given, "PRODUCERS")
