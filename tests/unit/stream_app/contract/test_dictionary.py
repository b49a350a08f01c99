"""The documents say what the contract says, and those in docs/contract are up to date."""

import json
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

from stream_app.contract import dictionary, wire
from stream_app.contract.alerts import RequestStatus
from stream_app.contract.events import EVENT_TYPES
from stream_app.contract.predictions import QualityReason
from stream_app.contract.rejects import RejectCode
from stream_app.shell import documents
from tests import builders, messages

FOLDER = Path(__file__).resolve().parents[4] / "docs" / "contract"

SAMPLES: tuple[tuple[str, msgspec.Struct], ...] = (
    ("event", builders.listing()),
    ("event", builders.flat()),
    ("event", builders.sale()),
    ("event", builders.correction()),
    ("event", builders.withdrawal()),
    ("event", builders.erasure()),
    ("prediction", messages.prediction()),
    ("outcome", messages.outcome()),
    ("reject-headers", messages.reject_headers()),
    ("model-message", messages.champion()),
    ("model-message", messages.corrector()),
    ("model-message", messages.alias()),
    ("model-message", messages.rollout()),
    ("activated", messages.activated()),
    ("alert-message", messages.alert()),
    ("alert-message", messages.resolved()),
    ("alert-message", messages.acknowledged()),
    ("alert-message", messages.snoozed()),
    ("alert-message", messages.decision()),
    ("alert-message", messages.retrain_requested()),
    ("alert-message", messages.preflight_requested()),
    ("alert-message", messages.rollback_requested()),
    ("alert-message", messages.approval()),
    ("alert-message", messages.answered(RequestStatus.RUNNING)),
    ("alert-message", messages.preflight_measured()),
    ("alert-message", messages.rolled_back()),
    ("archive-manifest", messages.archive_manifest()),
)


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(dictionary.schema(name)))


def test_the_documents_in_the_repository_are_up_to_date() -> None:
    there = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}

    assert there == documents.documents(), "run: python -m stream_app contract"


@pytest.mark.parametrize("name", dictionary.MESSAGES)
def test_a_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(dictionary.schema(name)))


@pytest.mark.parametrize(
    ("name", "message"), SAMPLES, ids=[type(message).__name__ for _, message in SAMPLES]
)
def test_a_schema_accepts_what_goes_out(name: str, message: msgspec.Struct) -> None:
    validator(name).validate(json.loads(wire.encode(message)))


def test_every_schema_has_a_sample() -> None:
    assert {name for name, _ in SAMPLES} == set(dictionary.MESSAGES)


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "A. Person"},
        {"kind": "sold"},
        {"area_m2": None},
        {"event_id": ""},
        {"bedrooms": "3"},
    ],
    ids=["unknown field", "unknown kind", "null", "empty id", "text"],
)
def test_the_schema_of_events_refuses_what_the_decoder_refuses_or_repairs(
    change: dict[str, object],
) -> None:
    event = json.loads(wire.encode(builders.listing()))

    assert not validator("event").is_valid(event | change)


def test_the_dictionary_has_every_field_of_every_event() -> None:
    text = dictionary.events_markdown()

    for event_type in EVENT_TYPES:
        for field in event_type.__struct_fields__:
            assert f"| `{field}` |" in text, field


def test_every_field_of_a_listing_has_a_meaning() -> None:
    text = dictionary.events_markdown()
    listing = text.split("## kind: listing")[1].split("## kind:")[0]

    rows = [line for line in listing.splitlines() if line.startswith("| `")]
    assert all(row.split(" | ")[-1].rstrip(" |") for row in rows)


@pytest.mark.parametrize(
    "row",
    [
        "| `area_m2` | number | m² | refused | living area |",
        "| `event_time_ms` | integer | ms since 1970, UTC | refused | when it happened, not when it was sent |",
        "| `schema_version` | 1 |  | 1 | version of this schema |",
        "| `waterfront` | true or false or null |  | null | looks onto open water |",
        "| `sale_price` | number | market's currency | refused | in the market's currency |",
    ],
    ids=["area", "time", "version", "waterfront", "price"],
)
def test_a_field_is_told_with_type_unit_and_what_absence_means(row: str) -> None:
    assert row in dictionary.events_markdown().splitlines()


def test_the_table_of_rules_has_every_code_and_every_reason() -> None:
    text = dictionary.rules_markdown()

    assert all(f"| `{code}` |" in text for code in RejectCode)
    assert all(f"| `{reason}` |" in text for reason in QualityReason)
