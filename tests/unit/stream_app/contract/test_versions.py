"""What was sent under a schema version is read for ever; an unknown version is refused.

There is one version. With the next one comes `tests/data/events_v2.jsonl`, and what lifts
version 1 to it; the samples are never made anew. Of what we send ourselves
(`messages_v1.jsonl`) fields may only be added: consumers read those they know.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from stream_app.contract import rules, wire
from stream_app.contract.alerts import AnyAlertMessage
from stream_app.contract.events import EVENT_TYPES, SCHEMA_VERSION
from stream_app.contract.models import AnyModelMessage
from stream_app.contract.rejects import RejectCode, Rejected
from stream_app.contract.wire import Decoded
from tests import builders

DATA = Path(__file__).parents[3] / "data"
SAMPLES = {path.stem: path for path in DATA.glob("events_v*.jsonl")}
SENT = [json.loads(line) for line in (DATA / "messages_v1.jsonl").read_bytes().splitlines()]


def test_every_known_version_has_samples() -> None:
    assert set(SAMPLES) == {f"events_v{n}" for n in range(1, SCHEMA_VERSION + 1)}


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_of_every_kind_are_read_and_believed(name: str) -> None:
    answers = [wire.decode_event(line) for line in SAMPLES[name].read_bytes().splitlines()]

    events = [answer.event for answer in answers if isinstance(answer, Decoded)]
    assert len(events) == len(answers)
    assert {type(event) for event in events} == set(EVENT_TYPES)
    assert [rules.violation(event) for event in events] == [None] * len(events)


def test_the_samples_of_today_mean_what_today_is_sent() -> None:
    (first, *_) = SAMPLES[f"events_v{SCHEMA_VERSION}"].read_bytes().splitlines()

    answer = wire.decode_event(first)

    assert isinstance(answer, Decoded)
    assert answer.event == builders.listing()


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1, "1", None, -1])
def test_an_unknown_version_is_refused_and_named(version: object) -> None:
    raw = json.dumps(json.loads(builders.raw(builders.sale())) | {"schema_version": version})

    answer = wire.decode_event(raw.encode())

    assert isinstance(answer, Rejected)
    assert answer.code is RejectCode.SCHEMA_VERSION
    assert f"schema_version={version!r}" in answer.detail


def lost(before: object, now: object, place: str = "") -> list[str]:
    """The places where something that was sent is missing now, or another."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            each
            for name, value in before.items()
            for each in lost(value, now.get(name, "missing"), f"{place}.{name}")
        ]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        return [
            each
            for n, (old, new) in enumerate(zip(before, now, strict=True))
            for each in lost(old, new, f"{place}[{n}]")
        ]
    return [] if before == now else [place]


@pytest.mark.parametrize("sample", SENT, ids=lambda sample: f"{sample['by']}-{len(str(sample))}")
def test_of_what_was_sent_nothing_is_lost(sample: dict[str, Any]) -> None:
    decode: Callable[[bytes], msgspec.Struct] = getattr(wire, sample["by"])

    now = json.loads(wire.encode(decode(json.dumps(sample["sent"]).encode())))

    assert lost(sample["sent"], now) == []


def test_a_field_that_is_gone_or_another_is_found() -> None:
    sent = SENT[0]["sent"]

    assert lost(sent | {"price_usd": 1}, sent) == [".price_usd"]
    assert lost(sent | {"price": 7.0}, sent) == [".price"]


def test_there_is_a_sample_of_every_message() -> None:
    kinds = {
        kind.__struct_config__.tag
        for union in (AnyModelMessage, AnyAlertMessage)
        for kind in get_args(union)
    }

    assert kinds <= {sample["sent"].get("kind") for sample in SENT}
    assert {"decode_prediction", "decode_outcome", "decode_activated"} <= {s["by"] for s in SENT}
