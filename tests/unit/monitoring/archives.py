"""Small archives on disk, made as the archiver makes them, without a broker."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from monitoring import chain, erasures
from monitoring.chain import Source
from monitoring.erasures import Erased
from monitoring.ranges import Span, encode_range
from monitoring.tables import LAYOUTS, Layout, Taken
from stream_app.contract import wire
from stream_app.contract.models import Manifest
from stream_app.contract.topics import EVENTS, MODELS, OUTCOMES, PREDICTIONS, Topic, full_name
from tests import flow, messages

PREFIX = "housing"
APPENDED_MS = 1_763_700_000_000  # 2025-11-21


def layout(topic: Topic) -> Layout[Any]:
    return next(layout for layout in LAYOUTS if layout.topic == topic)


def put(
    root: Path,
    topic: Topic,
    values: Sequence[bytes | None],
    topic_id: str = "t-1",
    appended_ms: int = APPENDED_MS,
    key: bytes = b"key",
    every_ms: int = 0,
    headers: Sequence[tuple[str, bytes | None]] = (),
) -> None:
    """Publish one range of partition 0 with these records, as the archiver does."""
    source = Source(full_name(PREFIX, topic), topic_id, 0)
    first = chain.end(root, source)
    records = [
        Taken(0, first + n, appended_ms + n * every_ms, key, value, headers)
        for n, value in enumerate(values)
    ]
    span = Span(first, first + len(records), first)
    if topic == EVENTS:
        erasures.note(root, source, records)
    erased = Erased(root).ids()
    encoded = encode_range(
        layout(topic), source, span, records, f"token{first}", appended_ms, erased
    )
    chain.publish(root, *encoded, f"token{first}")


def put_pairs(root: Path, pairs: Iterable[flow.Pair]) -> None:
    """Publish a market's predictions and outcomes."""
    drawn = list(pairs)
    put(root, PREDICTIONS, [wire.encode(pair.prediction) for pair in drawn])
    put(root, OUTCOMES, [wire.encode(pair.outcome) for pair in drawn])


def put_champion(root: Path, manifest: Manifest) -> None:
    """Announce a champion and point the alias at it."""
    announced = messages.champion(manifest=manifest)
    alias = messages.alias(version=manifest.version)
    put(root, MODELS, [wire.encode(announced), wire.encode(alias)])
