"""A scenario changes what it says and nothing else; the truth says what; the seed decides."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import msgspec
import pytest

from producers import planting
from producers.planting import Story, planted
from producers.post import Post, posted
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
from stream_app.contract.events import AnyEvent, Sale
from tests import builders

FROM = date(2014, 8, 15)
DAY_MS = 86_400_000
AGENCIES = ("agency-a", "agency-b", "agency-c")
SCOPE: dict[str, Any] = {"from_": FROM, "to": date(2014, 10, 1), "region": "kc-98103"}
PLANTS: list[AnyPlant] = [
    PriceShock(**SCOPE, factor=1.1),
    Trend(**SCOPE, per_year=0.2),
    Season(**SCOPE, amplitude=0.1),
    UnitError(**SCOPE, field="area_m2", factor=10.7639),
    Nulls(**SCOPE, field="bedrooms"),
    Rename(**SCOPE, field="area_m2", to_name="living_area"),
    DeadFeature(**SCOPE, field="grade", value=7),
    NewCategory(**SCOPE, field="property_type", value="houseboat"),
    Duplicates(**SCOPE, after_h=30),
    Lateness(**SCOPE, hours=48),
    ClockSkew(**SCOPE, hours=-5),
]


def history() -> list[AnyEvent]:
    """120 homes in two regions, one a day, each sold 20 days later."""
    events: list[AnyEvent] = []
    for n in range(120):
        place: dict[str, object] = {
            "listing_id": f"home-{n}",
            "region": ("kc-98103", "kc-98178")[n % 2],
        }
        listed_ms = builders.LISTED_MS + n * DAY_MS
        events.append(builders.listing(event_time_ms=listed_ms, grade=5 + n % 3, **place))
        events.append(builders.sale(event_time_ms=listed_ms + 20 * DAY_MS, **place))
    return sorted(events, key=lambda event: event.event_time_ms)


HISTORY = history()


def plant(*plants: AnyPlant, seed: int = 7, publishers: tuple[str, ...] = ()) -> Story:
    return planted(HISTORY, Scenario(plants, publishers), seed)


def fields(posts: Iterable[Post]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(post.raw) for post in posts]


def test_a_scenario_without_plants_sends_the_events_as_they_are() -> None:
    assert plant().posts == [posted(event) for event in HISTORY]


def check_scope(each: AnyPlant) -> None:
    """Only what happened in scope is changed, at least once, and the truth counts it."""
    story = plant(each)
    (truth,) = story.truths
    as_it_was = {posted(event): event for event in HISTORY}
    left = set(story.posts)
    changed = [event for post, event in as_it_was.items() if post not in left]
    copies = len(story.posts) - len(HISTORY)

    assert truth.events == len(changed) + copies > 0
    assert all(event.region == "kc-98103" for event in changed)
    first_ms = min((e.event_time_ms for e in changed), default=truth.first_ms)
    assert first_ms == truth.first_ms is not None
    assert truth.first_ms >= each.from_ms
    assert (truth.kind, truth.region, truth.from_ms) == (kind_of(each), "kc-98103", each.from_ms)


@pytest.mark.parametrize("each", PLANTS, ids=kind_of)
def test_what_is_out_of_scope_stays_as_it_was(each: AnyPlant) -> None:
    check_scope(each)


@pytest.mark.parametrize("forgotten", ["region", "from_ms", "nothing counted"])
def test_the_law_catches_a_planter_that_forgets(
    forgotten: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def concerns(each: AnyPlant, event: AnyEvent, _publisher: str, _luck: float) -> bool:
        in_region = forgotten == "region" or each.region == event.region
        in_time = forgotten == "from_ms" or each.from_ms <= event.event_time_ms
        return in_region and in_time

    monkeypatch.setattr(planting, "concerns", concerns)
    if forgotten == "nothing counted":
        monkeypatch.setattr(planting, "_act", lambda _plant, content: content)

    with pytest.raises(AssertionError):
        check_scope(PLANTS[0])


@pytest.mark.parametrize("each", PLANTS, ids=kind_of)
def test_the_same_seed_gives_the_same_bytes(each: AnyPlant) -> None:
    some = msgspec.structs.replace(each, region=None, share=0.5)

    assert plant(some).posts == plant(some).posts
    assert plant(some).posts != plant(some, seed=8).posts


def test_a_plant_more_leaves_the_others_where_they_were() -> None:
    some = Nulls(from_=FROM, field="bedrooms", share=0.3)
    alone = [each["bedrooms"] is None for each in fields(plant(some).posts) if "bedrooms" in each]

    both = fields(plant(some, PriceShock(from_=FROM, factor=1.2)).posts)

    assert [each["bedrooms"] is None for each in both if "bedrooms" in each] == alone


def prices(posts: Iterable[Post]) -> list[float]:
    return [each["sale_price"] for each in fields(posts) if each["kind"] == "sale"]


@pytest.mark.parametrize(
    ("each", "after_91_days"),
    [
        (PriceShock(from_=FROM, factor=1.1), 1.1),
        (Trend(from_=FROM, per_year=0.2), 1.2 ** (91 / 365.2425)),
        (Season(from_=FROM, amplitude=0.1), 1.1),
        (UnitError(from_=FROM, field="sale_price", factor=100.0), 100.0),
    ],
    ids=lambda each: kind_of(each) if not isinstance(each, float) else "",
)
def test_prices_move_as_the_plant_says(each: AnyPlant, after_91_days: float) -> None:
    day = next(
        n
        for n, event in enumerate(e for e in HISTORY if isinstance(e, Sale))
        if event.event_time_ms >= each.from_ms + 91 * DAY_MS
    )

    moved = prices(plant(each).posts)[day] / prices(plant().posts)[day]

    assert moved == pytest.approx(after_91_days, rel=0.003)


def test_listings_are_dealt_to_publishers_and_their_sales_with_them() -> None:
    error = UnitError(from_=FROM, field="area_m2", factor=10.7639, publisher="agency-b")

    content = fields(plant(error, publishers=AGENCIES).posts)

    by_listing = {(each["listing_id"], each["source"]) for each in content}
    assert len(by_listing) == 120
    assert {source for _, source in by_listing} == set(AGENCIES)
    wrong = {each["source"] for each in content if each.get("area_m2", 0) > 1_000}
    assert wrong == {"agency-b"}


Order = Callable[[Iterable[tuple[str, Post]]], list[Post]]


def check_trailing(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listings 40 days late, sales 20 days after them: no sale is sent before its listing."""
    monkeypatch.setattr(planting, "in_sending_order", order)
    posts = plant(Lateness(from_=FROM, hours=24 * 40, share=0.5)).posts
    sent: dict[str, list[str]] = {}
    for each in fields(posts):
        sent.setdefault(each["listing_id"], []).append(each["kind"])

    assert all(kinds == ["listing", "sale"] for kinds in sent.values())
    due = [post.due_ms for post in posts]
    assert due == sorted(due)


def test_a_sale_is_never_sent_before_its_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    check_trailing(planting.in_sending_order, monkeypatch)


def test_the_law_catches_an_order_by_time_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_time(posts: Iterable[tuple[str, Post]]) -> list[Post]:
        return sorted((post for _, post in posts), key=lambda post: post.due_ms)

    with pytest.raises(AssertionError):
        check_trailing(by_time, monkeypatch)


def test_a_duplicate_is_the_same_bytes_later() -> None:
    posts = plant(Duplicates(from_=FROM, after_h=30)).posts

    twice = [post for post in posts if sum(post.raw == other.raw for other in posts) == 2]

    first, again = (post for post in twice if post.event_id == twice[0].event_id)
    assert again.due_ms - first.due_ms == 30 * 3_600_000
