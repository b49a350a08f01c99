"""Columns follow the contract; what is null on the wire is null in the table."""

import msgspec
import pyarrow as pa
import pytest

from monitoring.tables import Taken, columns_of, message_table, raw_table, schema_of
from stream_app.contract import topics
from stream_app.contract.archive import RAW_COLUMNS
from stream_app.contract.predictions import Outcome, Prediction
from tests import messages
from tests.unit.monitoring import archives

PREDICTIONS, OUTCOMES, MODELS = (
    archives.layout(t) for t in (topics.PREDICTIONS, topics.OUTCOMES, topics.MODELS)
)
RECORD = Taken(3, 41, 1_000, b"key", b"value")


@pytest.mark.parametrize("kind", [Prediction, Outcome])
def test_every_field_of_a_message_is_a_column(kind: type[msgspec.Struct]) -> None:
    names = [column.field.name for column in columns_of(kind)]

    for field in msgspec.structs.fields(kind):
        assert field.name in names or any(name.startswith(f"{field.name}_") for name in names)
    assert len(names) == len(set(names))


def test_nested_fields_are_joined_by_an_underscore() -> None:
    names = schema_of(PREDICTIONS).names

    assert "components_naive_log" in names
    assert "versions_champion" in names
    assert "components" not in names


def test_types_are_those_of_the_contract() -> None:
    schema = schema_of(OUTCOMES)

    assert schema.field("sold_ms").type == pa.int64()
    assert schema.field("late").type == pa.bool_()
    assert schema.field("step").type == pa.string()
    assert schema.field("features").type == pa.list_(pa.float64())
    assert schema.field("price").nullable
    assert not schema.field("sale_price").nullable


def test_a_row_says_where_it_came_from_and_what_was_said() -> None:
    said = messages.outcome(price=None)

    (row,) = message_table(OUTCOMES, [RECORD], [said]).to_pylist()

    assert (row["partition"], row["offset"], row["appended_ms"]) == (3, 41, 1_000)
    assert row["price"] is None
    assert row["step"] == "champion"
    assert row["components_champion_log"] == said.components.champion_log
    assert row["features"] == list(said.features)


@pytest.mark.parametrize(("said", "kept"), [(b"12", 12), (b"-3", None), (b"soon", None)])
def test_the_latency_is_a_column_where_its_header_is_a_number(
    said: bytes, kept: int | None
) -> None:
    record = RECORD._replace(headers=(("latency_ms", said),))

    (row,) = message_table(PREDICTIONS, [record], [messages.prediction()]).to_pylist()

    assert row["latency_ms"] == kept


def test_a_list_of_parts_is_a_list_of_structs() -> None:
    said = messages.prediction()

    (row,) = message_table(PREDICTIONS, [RECORD], [said]).to_pylist()

    assert row["reasons"] == [
        {"group": str(each.group), "effect_log": each.effect_log} for each in said.reasons
    ]


def test_raw_rows_keep_key_and_value_as_they_came() -> None:
    (row,) = raw_table([RECORD._replace(value=None)]).to_pylist()

    assert (row["key"], row["value"]) == (b"key", None)


def test_a_layout_without_a_decoder_has_no_columns_of_its_own() -> None:
    assert schema_of(MODELS).names == [
        "partition",
        "offset",
        "appended_ms",
        "latency_ms",
    ]


def test_raw_columns_are_those_of_the_contract() -> None:
    assert tuple(raw_table([]).column_names) == RAW_COLUMNS
