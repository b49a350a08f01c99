"""A history with plants in it: what publishers would have sent, and the truth about it. Pure.

Every choice is a keyed draw of (seed, plant, event), so the same history, scenario and seed
give the same bytes, and a plant more leaves the others where they were. Sales trail their
listings: whatever is late, a sale is sent after its listing.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import singledispatch
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from producers.post import Post
from producers.scenario import (
    AnyPlant,
    ClockSkew,
    DeadFeature,
    Duplicates,
    Lateness,
    NewCategory,
    Nulls,
    PriceShock,
    Rename,
    Scenario,
    Season,
    Trend,
    UnitError,
    kind_of,
)
from producers.sources.simulated import draw
from stream_app.contract.events import AnyEvent, Listing, kind_of_type
from stream_app.contract.rules import YEAR_MS
from stream_app.contract.spans import HOUR_MS

Fields = dict[str, Any]
LISTING = kind_of_type(Listing)
PRICES = ("sale_price", "asking_price")


class Truth(Struct):
    """What was planted where, and how much of it there is."""

    kind: str
    plant: Mapping[str, object]  # as in the file
    from_ms: int
    to_ms: int | None
    region: str | None
    publisher: str | None
    field: str | None
    events: int = 0  # that it changed
    first_ms: int | None = None  # event time of the first one


class Story(NamedTuple):
    """What is sent, and the truth about each plant, in their order."""

    posts: list[Post]
    truths: list[Truth]


class _Draft(NamedTuple):
    sent_ms: int
    fields: Fields


def planted(events: Iterable[AnyEvent], scenario: Scenario, seed: int) -> Story:
    """Plant a scenario into events, which come in event-time order."""
    truths = [_truth(plant) for plant in scenario.plant]
    posts: list[tuple[str, Post]] = []  # bytes at once: fields as objects take three times as much
    for event in events:
        drafts = _drafts(event, scenario, seed, truths)
        posts += [(event.listing_id, _post(draft)) for draft in drafts]
    return Story(in_sending_order(posts), truths)


def in_sending_order(posts: Iterable[tuple[str, Post]]) -> list[Post]:
    """Put in order what is sent, of each listing id the listing before all else.

    Posts come in the order in which things happened, and keep it within a moment.
    """
    listed_ms: dict[str, int] = {}
    trailing: list[Post] = []
    for listing_id, post in posts:
        if post.kind == LISTING:
            listed_ms.setdefault(listing_id, post.due_ms)
        due_ms = max(post.due_ms, listed_ms.get(listing_id, 0))
        trailing.append(post._replace(due_ms=due_ms))
    return sorted(trailing, key=lambda post: post.due_ms)


def concerns(plant: AnyPlant, event: AnyEvent, publisher: str, luck: float) -> bool:
    """Tell whether an event of a publisher lies in a plant's scope; `luck` in (0, 1) decides shares."""
    return (
        plant.from_ms <= event.event_time_ms
        and (plant.to_ms is None or event.event_time_ms < plant.to_ms)
        and plant.region in (None, event.region)
        and plant.publisher in (None, publisher)
        and luck < plant.share
    )


def _drafts(
    event: AnyEvent, scenario: Scenario, seed: int, truths: Sequence[Truth]
) -> list[_Draft]:
    publisher = _publisher(event, scenario, seed)
    drafts = [_Draft(event.event_time_ms, msgspec.to_builtins(event) | {"source": publisher})]
    for number, (plant, truth) in enumerate(zip(scenario.plant, truths, strict=True)):
        luck = draw(seed, f"plant {number}", event.event_id)
        if not concerns(plant, event, publisher, luck):
            continue
        changed = [each for draft in drafts for each in _changed(plant, draft)]
        if changed != drafts:
            truth.events += 1
            truth.first_ms = event.event_time_ms if truth.first_ms is None else truth.first_ms
        drafts = changed
    return drafts


def _publisher(event: AnyEvent, scenario: Scenario, seed: int) -> str:
    if not scenario.publishers:
        return event.source
    luck = draw(seed, "publisher", event.listing_id)
    return scenario.publishers[int(luck * len(scenario.publishers))]


def _changed(plant: AnyPlant, draft: _Draft) -> list[_Draft]:
    if isinstance(plant, Duplicates):
        again_ms = draft.sent_ms + round(plant.after_h * HOUR_MS)
        return [draft, draft._replace(sent_ms=again_ms)]
    if isinstance(plant, Lateness):
        return [draft._replace(sent_ms=draft.sent_ms + round(plant.hours * HOUR_MS))]
    return [draft._replace(fields=_act(plant, draft.fields))]


@singledispatch
def _act(plant: AnyPlant, _fields: Fields) -> Fields:
    """What a plant makes of an event's fields: a new mapping, or the same one."""
    raise TypeError(f"no effect for {kind_of(plant)}")


@_act.register
def _(plant: PriceShock, fields: Fields) -> Fields:
    return _scaled(fields, PRICES, plant.factor)


@_act.register
def _(plant: Trend, fields: Fields) -> Fields:
    years = (fields["event_time_ms"] - plant.from_ms) / YEAR_MS
    return _scaled(fields, PRICES, (1 + plant.per_year) ** years)


@_act.register
def _(plant: Season, fields: Fields) -> Fields:
    years = (fields["event_time_ms"] - plant.from_ms) / YEAR_MS
    return _scaled(fields, PRICES, 1 + plant.amplitude * math.sin(2 * math.pi * years))


@_act.register
def _(plant: UnitError, fields: Fields) -> Fields:
    return _scaled(fields, (plant.field,), plant.factor)


@_act.register
def _(plant: Nulls, fields: Fields) -> Fields:
    return _with(fields, plant.field, lambda _: None)


@_act.register
def _(plant: DeadFeature, fields: Fields) -> Fields:
    return _with(fields, plant.field, lambda _: plant.value)


@_act.register
def _(plant: NewCategory, fields: Fields) -> Fields:
    return _with(fields, plant.field, lambda _: plant.value)


@_act.register
def _(plant: Rename, fields: Fields) -> Fields:
    return {plant.to_name if name == plant.field else name: v for name, v in fields.items()}


@_act.register
def _(plant: ClockSkew, fields: Fields) -> Fields:
    skew_ms = round(plant.hours * HOUR_MS)
    return _with(fields, "event_time_ms", lambda time_ms: max(0, time_ms + skew_ms))


def _scaled(fields: Fields, names: Sequence[str], factor: float) -> Fields:
    for name in names:
        if isinstance(fields.get(name), int | float):
            fields = fields | {name: fields[name] * factor}
    return fields


def _with(fields: Fields, name: str, value: Callable[[Any], object]) -> Fields:
    return fields | {name: value(fields[name])} if name in fields else fields


def _post(draft: _Draft) -> Post:
    fields = draft.fields
    raw = msgspec.json.encode(fields)
    return Post(draft.sent_ms, fields["event_id"], fields["region"], fields["kind"], raw)


def _truth(plant: AnyPlant) -> Truth:
    return Truth(
        kind=kind_of(plant),
        plant=msgspec.to_builtins(plant),
        from_ms=plant.from_ms,
        to_ms=plant.to_ms,
        region=plant.region,
        publisher=plant.publisher,
        field=getattr(plant, "field", None),
    )
