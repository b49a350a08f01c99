"""The contract as documents: JSON Schemas, the dictionary of events, the table of rules.

Texts only; `python -m stream_app contract` writes them to docs/contract, and a test
holds them up to date. Nothing is said here that the contract does not say elsewhere:
what is missing in a document is missing in events.py, rules.py or remedies.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import inspect

from stream_app.contract.alerts import AnyAlertMessage
from stream_app.contract.archive import ArchiveManifest
from stream_app.contract.events import EVENT_TYPES, AnyEvent, Event, kind_of_type
from stream_app.contract.models import Activated, AnyModelMessage
from stream_app.contract.predictions import Outcome, Prediction
from stream_app.contract.rejects import RejectCode, RejectHeaders
from stream_app.contract.remedies import (
    CONDITIONS,
    DOUBTS,
    QUALITY_MEANINGS,
    QUALITY_REMEDIES,
    REMEDIES,
)
from stream_app.contract.rules import RULES

# File name -> message. The names are public: other programs fetch the schemas by them.
MESSAGES: Mapping[str, Any] = {
    "event": AnyEvent,
    "prediction": Prediction,
    "outcome": Outcome,
    "reject-headers": RejectHeaders,
    "model-message": AnyModelMessage,
    "activated": Activated,
    "alert-message": AnyAlertMessage,
    "archive-manifest": ArchiveManifest,
}

_GENERATED = "Generated from `stream_app/contract` by `python -m stream_app contract`."

# The last part of a field's name is its unit.
_UNITS = {
    "ms": "ms since 1970, UTC",
    "m2": "m²",
    "price": "market's currency",
    "year": "year",
    "years": "years",
    "latitude": "degrees",
    "longitude": "degrees",
}


def documents() -> dict[str, str]:
    """Every document: file name -> text."""
    texts = {f"{name}.schema.json": schema(name) for name in MESSAGES}
    return texts | {"events.md": events_markdown(), "rules.md": rules_markdown()}


def schema(name: str) -> str:
    """The JSON Schema (2020-12) of a message of MESSAGES, as text that ends with a newline."""
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        **msgspec.json.schema(MESSAGES[name]),
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"


def events_markdown() -> str:
    """Every field of every event: type, unit, whether it may be null, meaning."""
    common = {field.name for field in _fields(Event)}
    sections = [
        "# Events",
        (
            f"{_GENERATED} Schema version 1; the same as JSON Schema: "
            "[event.schema.json](event.schema.json). What is refused: [rules.md](rules.md)."
        ),
        (
            "One JSON object per record of `housing.events`; the record's key is `region`. "
            "A field that is not listed here is refused, never ignored."
        ),
        "## Every event",
        _table(_FIELD_HEAD, map(_field_row, _fields(Event))),
    ]
    for event_type in EVENT_TYPES:
        own = [field for field in _fields(event_type) if field.name not in common]
        sections += [f"## kind: {kind_of_type(event_type)}", str(event_type.__doc__)]
        sections.append(_table(_FIELD_HEAD, map(_field_row, own)))
    return _page(sections)


def rules_markdown() -> str:
    """Every code and reason: what must hold, why, an example, what to do about it."""
    return _page(
        [
            "# Rules",
            f"{_GENERATED} The first thing that does not hold is told.",
            "## Reject",
            (
                "The event goes to `housing.rejects` with its original bytes, the code and a detail "
                "that names the value and the limit. The stream goes on."
            ),
            _table(
                ("code", "must hold", "why", "refused", "what to do", "judged in"),
                map(_reject_row, RejectCode),
            ),
            "## Repair",
            (
                "A number sent as text becomes a number, and 3.0 becomes 3 where a whole number "
                "is wanted; the prediction says `repaired`."
            ),
            _table(("sent", "read as"), (('"1,200"', "1200"), ('" 85.5 "', "85.5"), ("3.0", "3"))),
            "## Degrade",
            "The listing is priced, `quality` is `degraded`, and `quality_reasons` say why.",
            _table(
                ("reason", "meaning", "example", "what to do"),
                (
                    (f"`{reason}`", QUALITY_MEANINGS[reason], f"`{remedy.example}`", remedy.fix)
                    for reason, remedy in QUALITY_REMEDIES.items()
                ),
            ),
            *_publishers(),
        ]
    )


def _publishers() -> Sequence[str]:
    return (
        "## Publishers",
        (
            "A publisher (`source`) is judged by its own events, in each partition by itself, "
            "and never delays another one. While it is doubted its listings are priced like "
            "any other and marked `publisher_doubted`, its sales are joined and published with "
            "`teaches` false, and nothing of it enters a window or is learned from. An alert "
            "on `housing.alerts` says when that begins and ends."
        ),
        _table(
            ("doubt", "begins when", "ends when"),
            ((f"`{doubt}`", *told) for doubt, told in DOUBTS.items()),
        ),
    )


def _reject_row(code: RejectCode) -> Sequence[str]:
    remedy = REMEDIES[code]
    must_hold, why, judged_in = _judgement(code)
    return f"`{code}`", must_hold, why, f"`{remedy.example}`", remedy.fix, f"`{judged_in}`"


def _judgement(code: RejectCode) -> tuple[str, str, str]:
    if code in CONDITIONS:
        return CONDITIONS[code]
    rule = next(rule for rule in RULES if rule.code is code)
    return rule.must_hold, rule.why, "contract/rules.py"


_FIELD_HEAD = ("field", "type", "unit", "when absent", "meaning")


def _fields(event_type: type[Event]) -> tuple[inspect.Field, ...]:
    described = inspect.type_info(event_type)
    assert isinstance(described, inspect.StructType)  # noqa: S101 - an event is a Struct
    return described.fields


def _field_row(field: inspect.Field) -> Sequence[str]:
    kind, meaning = field.type, ""
    if isinstance(kind, inspect.Metadata):
        meaning = str((kind.extra_json_schema or {}).get("description", ""))
        kind = kind.type
    absent = "refused" if field.required else "null" if field.default is None else _json(field)
    unit = _UNITS.get(field.name.rpartition("_")[2], "")
    return f"`{field.name}`", _type_text(kind), unit, absent, meaning


def _json(field: inspect.Field) -> str:
    return msgspec.json.encode(field.default).decode()


def _type_text(kind: inspect.Type) -> str:
    match kind:
        case inspect.UnionType():
            return " or ".join(map(_type_text, kind.types))
        case inspect.StrType():
            return f"text, {kind.min_length} to {kind.max_length}"
        case inspect.IntType():
            return "integer"
        case inspect.VarTupleType():
            return f"list of {_type_text(kind.item_type)}"
        case inspect.LiteralType():
            return " or ".join(map(str, kind.values))
        case _:
            return _PLAIN[type(kind)]


_PLAIN: Mapping[type[inspect.Type], str] = {
    inspect.FloatType: "number",
    inspect.BoolType: "true or false",
    inspect.NoneType: "null",
}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _page(sections: Sequence[str]) -> str:
    return "\n\n".join(sections) + "\n"
