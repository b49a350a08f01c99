"""Every code has a line for publishers, and what the line says is true."""

import json
from pathlib import Path

import pytest

from stream_app.contract import remedies, rules, wire
from stream_app.contract.predictions import QualityReason
from stream_app.contract.rejects import RejectCode, Rejected
from tests import builders

STREAM_APP = Path(__file__).resolve().parents[4] / "stream_app"

# Overlays; the others need the record, the ledger, or bytes that are no object.
SHOWN_IN_BRACES = [
    (code, remedy.example)
    for code, remedy in remedies.REMEDIES.items()
    if remedy.example.startswith("{") and code is not RejectCode.NOT_JSON
]


def judged(raw: bytes) -> RejectCode | None:
    answer = wire.decode_event(raw)
    if isinstance(answer, Rejected):
        return answer.code
    broken = rules.violation(answer.event)
    return None if broken is None else broken[0]


def test_every_code_has_a_remedy() -> None:
    assert set(remedies.REMEDIES) == set(RejectCode)


def test_every_code_is_explained_just_once() -> None:
    by_rule = [rule.code for rule in rules.RULES]

    assert sorted([*by_rule, *remedies.CONDITIONS]) == sorted(RejectCode)


@pytest.mark.parametrize("code", remedies.CONDITIONS, ids=str)
def test_a_code_is_judged_where_its_condition_says(code: RejectCode) -> None:
    judge = (STREAM_APP / remedies.CONDITIONS[code].judged_in).read_text("utf-8")

    assert f"RejectCode.{code.name}" in judge or f"Verdict.{code.name}" in judge


def test_every_quality_reason_has_a_meaning() -> None:
    assert set(remedies.QUALITY_MEANINGS) == set(QualityReason)


def test_every_quality_reason_has_a_remedy() -> None:
    assert set(remedies.QUALITY_REMEDIES) == set(QualityReason)


@pytest.mark.parametrize(
    ("code", "example"), SHOWN_IN_BRACES, ids=[code for code, _ in SHOWN_IN_BRACES]
)
def test_an_example_in_braces_is_refused_with_just_its_code(code: RejectCode, example: str) -> None:
    event = json.loads(builders.raw(builders.listing()))

    assert judged(json.dumps(event).encode()) is None
    assert judged(json.dumps(event | json.loads(example)).encode()) is code


def test_the_example_of_what_is_no_json_is_none() -> None:
    example = remedies.REMEDIES[RejectCode.NOT_JSON].example

    assert judged(example.encode()) is RejectCode.NOT_JSON
