"""Messages of the contract as typed Arrow tables: a column for each field.

Nested fields are joined by `_` (`components.naive_log` -> `components_naive_log`), a list
of structs (`reasons`) is a list of Arrow structs;
every table also says where each row came from. The columns follow the contract:
a field added there is a column added here. Names of features are not in the
contract, so `features` stays a list; `frames.py` names it when it is read.
"""

import types
from collections.abc import Callable, Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec
import pyarrow as pa
from msgspec import Struct

from stream_app.contract import wire
from stream_app.contract.predictions import Outcome, Prediction
from stream_app.contract.topics import (
    ACTIVATIONS,
    ALERTS,
    EVENTS,
    MODELS,
    OUTCOMES,
    PREDICTIONS,
    REJECTS,
    SHADOW,
    Topic,
)

M = TypeVar("M", bound=Struct)

_SCALARS: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}
_PLACE = (
    pa.field("partition", pa.int32(), nullable=False),
    pa.field("offset", pa.int64(), nullable=False),
    pa.field("appended_ms", pa.int64(), nullable=False),
)
# Said in a header, since it is no part of the answer: a replay says the same, at another pace.
LATENCY = pa.field("latency_ms", pa.int64())
_HEADER = pa.struct([pa.field("name", pa.string()), pa.field("value", pa.binary())])
RAW_SCHEMA = pa.schema(
    (
        *_PLACE,
        pa.field("key", pa.binary()),
        pa.field("value", pa.binary()),
        pa.field("headers", pa.list_(_HEADER)),
    ),
)


class Taken(NamedTuple):
    """One record as the broker gave it."""

    partition: int
    offset: int
    appended_ms: int  # the record's timestamp
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class Column(NamedTuple):
    field: pa.Field
    get: Callable[[Any], object]


class Layout(NamedTuple, Generic[M]):
    """How the records of one topic become rows. Without `decode`: as they came."""

    topic: Topic
    columns: tuple[Column, ...] = ()
    decode: Callable[[bytes], M] | None = None
    time_column: str = ""  # of a decoded message's event time
    names_market: bool = True  # whether the bytes say of which market they are
    key_is_listing: bool = False


def columns_of(kind: type[Struct], path: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """List the columns of a message type, nested ones flattened, in the order of its fields."""
    found: list[Column] = []
    for field in msgspec.structs.fields(kind):
        here = (*path, field.name)
        bare, nullable = _bare(field.type)
        if isinstance(bare, type) and issubclass(bare, Struct):
            found += columns_of(bare, here)
        else:
            column = pa.field("_".join(here), _arrow_type(bare), nullable=nullable)
            found.append(Column(column, _plain(bare, attrgetter(".".join(here)))))
    return tuple(found)


def schema_of(layout: Layout[Any]) -> pa.Schema:
    """Name and type every column of the layout, where a row came from first."""
    return pa.schema((*_PLACE, LATENCY, *(column.field for column in layout.columns)))


def message_table(
    layout: Layout[Any], records: Sequence[Taken], messages: Sequence[object]
) -> pa.Table:
    """Make the table of decoded messages; `records` says where each came from."""
    places = [pa.array([r[i] for r in records], f.type) for i, f in enumerate(_PLACE)]
    latency = pa.array([_latency_ms(record) for record in records], LATENCY.type)
    values = [pa.array(list(map(c.get, messages)), c.field.type) for c in layout.columns]
    return pa.Table.from_arrays([*places, latency, *values], schema=schema_of(layout))


def _latency_ms(record: Taken) -> int | None:
    """How long after its event it was handed to the broker; None when the headers do not say."""
    said = dict(record.headers).get(LATENCY.name) or b""
    return int(said) if said.isdigit() else None


def raw_table(records: Sequence[Taken]) -> pa.Table:
    """Make the table of records as they came."""
    arrays = [pa.array([r[i] for r in records], f.type) for i, f in enumerate(RAW_SCHEMA)]
    return pa.Table.from_arrays(arrays, schema=RAW_SCHEMA)


def raw_records(table: pa.Table) -> list[Taken]:
    """Read the records of such a table. Headers are left out: files of before have none."""
    columns = (table[name].to_pylist() for name in RAW_SCHEMA.names[:-1])
    return [Taken(*row) for row in zip(*columns, strict=True)]


def _bare(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401 - an annotation has no type
    """Take `Annotated` and `| None` off; tell whether None was allowed."""
    if hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [part for part in get_args(annotation) if part is not types.NoneType]
        return kinds[0], len(kinds) < len(get_args(annotation))
    return annotation, False


def _arrow_type(kind: Any) -> pa.DataType:  # noqa: ANN401 - an annotation has no type
    if get_origin(kind) is tuple:
        return pa.list_(_arrow_type(_bare(get_args(kind)[0])[0]))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return pa.string()
    if isinstance(kind, type) and issubclass(kind, Struct):
        return pa.struct([column.field for column in columns_of(kind)])
    return _SCALARS[kind]


def _plain(kind: Any, get: Callable[[Any], object]) -> Callable[[Any], object]:  # noqa: ANN401
    """A getter whose values pyarrow takes: it knows mappings, but no structs in a list."""
    if not pa.types.is_nested(_arrow_type(kind)):
        return get
    return lambda message: msgspec.to_builtins(get(message))


_PREDICTED = (columns_of(Prediction), wire.decode_prediction, "event_time_ms")
LAYOUTS: tuple[Layout[Any], ...] = (
    # Before any cleaning: what was refused must be readable again as it was sent.
    Layout(EVENTS),
    Layout(REJECTS),
    Layout(PREDICTIONS, *_PREDICTED, key_is_listing=True),
    Layout(SHADOW, *_PREDICTED, key_is_listing=True),
    Layout(OUTCOMES, columns_of(Outcome), wire.decode_outcome, "sold_ms"),
    # Tables of these would be all nested parts; they are few, and are read whole.
    Layout(ALERTS),
    # With which models and policy events were taken in: a replay of the archive needs to know.
    Layout(ACTIVATIONS),
    Layout(MODELS, names_market=False),
)
