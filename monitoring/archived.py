"""Archived tables as the values that evidence is made of. Pure; what is none of them is left out."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec
from pyarrow import Table

from monitoring.detectors.finding import Event
from monitoring.evidence import Sale
from monitoring.heads import head_of
from monitoring.ranges import ERASURE
from stream_app.contract import wire
from stream_app.contract.models import AnyModelMessage

# Longer names break a rule of the contract; detectors keep them.
PUBLISHER_LETTERS_MAX = 64
_SALE_COLUMNS = (
    "market",
    "region",
    "sold_ms",
    "appended_ms",
    "sale_price",
    "price",
    "corrects",
    "property_type",
    "versions_champion",
    "active_champion",
    "active_residual_log",
)


def sales(table: Table) -> Iterator[Sale]:
    """Outcomes, first ones only: a correction tells of a sale that was told before."""
    columns = [table[name].to_pylist() for name in _SALE_COLUMNS]
    is_old = "teaches" not in table.column_names  # files of before it was kept
    teaches = [True] * len(table) if is_old else table["teaches"].to_pylist()
    for row in zip(*columns, teaches, strict=True):
        market, region, sold_ms, appended_ms, sale_price, price, corrects, kind, *versions = row
        if not corrects:
            error_log = None if price is None else math.log(sale_price / price)
            answered_by, active, active_error_log, teaches_it = versions
            yield Sale(
                market,
                region,
                sold_ms,
                appended_ms,
                answered_by,
                error_log,
                active,
                active_error_log,
                teaches_it is not False,
                kind,
            )


def events(table: Table) -> Iterator[Event]:
    """Events as they were sent, whatever is wrong with them; what is no event is left out."""
    for value in table["value"].to_pylist():
        head = head_of(value)
        if head.market is None or head.event_time_ms is None or head.kind == ERASURE:
            continue
        fields = msgspec.json.decode(value, type=dict[str, object])
        yield Event(head.market, _publisher(fields.get("source")), head.event_time_ms, fields)


def refused(table: Table, market: str) -> Iterator[Event]:
    """Rejects as events without fields: one more refusal of their publisher."""
    rows = zip(*(table[name].to_pylist() for name in ("value", "headers")), strict=True)
    for value, headers in rows:
        at_ms = head_of(value).event_time_ms
        if at_ms is not None:
            said = {header["name"]: header["value"] for header in headers or ()}
            publisher = (said.get("publisher") or b"").decode("utf-8", "replace")
            yield Event(market, _publisher(publisher), at_ms, {}, rejected=True)


def models(table: Table) -> Iterator[tuple[AnyModelMessage, int]]:
    """Announcements, with when they were appended."""
    for value, appended_ms in zip(*_pair(table, "value", "appended_ms"), strict=True):
        message = None if value is None else _decoded(value)
        if message is not None:
            yield message, appended_ms


def _pair(table: Table, one: str, other: str) -> tuple[list[Any], list[Any]]:
    return table[one].to_pylist(), table[other].to_pylist()


def _decoded(value: bytes) -> AnyModelMessage | None:
    try:
        return wire.decode_model_message(value)
    except msgspec.MsgspecError:
        return None


def _publisher(said: object) -> str:
    return str(said)[:PUBLISHER_LETTERS_MAX]
