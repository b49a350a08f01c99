"""What was sent under a schema version is read for ever; an unknown version is refused.

There is one version. With the next one comes `tests/data/events_v2.jsonl`, and what lifts
version 1 to it; the samples are never made anew.
"""

import json
from pathlib import Path

import pytest

from stream_app.contract import rules, wire
from stream_app.contract.events import EVENT_TYPES, SCHEMA_VERSION
from stream_app.contract.rejects import RejectCode, Rejected
from stream_app.contract.wire import Decoded
from tests import builders

SAMPLES = {path.stem: path for path in (Path(__file__).parents[3] / "data").glob("events_v*.jsonl")}


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
