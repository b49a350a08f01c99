"""Logs of a small market, drawn: homes come, change, are sold, and some of it is nonsense."""

from typing import NamedTuple

from hypothesis import strategies as st

from stream_app.contract.events import AnyEvent
from stream_app.scoring.corrector import FEATURES
from stream_app.stages.step import Record, Serving
from tests.builders import (
    DAY_MS,
    HOUR_MS,
    LISTED_MS,
    MARKET,
    REGION,
    correction,
    erasure,
    listing,
    sale,
    withdrawal,
)
from tests.fakes.champion import FakeChampion
from tests.messages import corrector
from tests.replay import records

REGIONS = (REGION, "kc-98103")
# What else may befall a home.
AMENDED, CORRECTED, WITHDRAWN, TWIN, TOO_LARGE, ERASED = (
    "amended",
    "corrected",
    "withdrawn",
    "twin",
    "huge",
    "gone",
)
TWISTS = (AMENDED, CORRECTED, WITHDRAWN, TWIN, TOO_LARGE)


class Home(NamedTuple):
    """A home as drawn; its events are told by `life`."""

    region: int
    listed_h: int  # hours after LISTED_MS
    days: int  # on the market
    price: float
    area_m2: float
    grade: int | None
    delay_h: int  # of every event on its way to us
    twists: frozenset[str]


def homes(twists: tuple[str, ...] = TWISTS) -> st.SearchStrategy[list[Home]]:
    home = st.builds(
        Home,
        region=st.integers(0, 1),
        listed_h=st.integers(0, 120).map(lambda halves: halves * 12),
        days=st.integers(0, 20),
        price=st.floats(5e4, 2e6),
        area_m2=st.floats(30.0, 400.0),
        grade=st.none() | st.integers(1, 13),
        delay_h=st.sampled_from([0, 5, 40]),
        twists=st.frozensets(st.sampled_from(twists), max_size=2),
    )
    return st.lists(home, min_size=3, max_size=8)


def life(home: Home, number: int) -> list[tuple[int, AnyEvent]]:
    """The events of a home, each with its time of arrival."""
    region = REGIONS[home.region]
    common: dict[str, object] = {"region": region, "listing_id": f"{region}/{number}"}
    first_ms = LISTED_MS + home.listed_h * HOUR_MS
    sold_ms = first_ms + home.days * DAY_MS
    facts = common | {"area_m2": home.area_m2, "grade": home.grade, "bedrooms": None}
    listed = listing(event_time_ms=first_ms, **facts)
    paid = sale(event_time_ms=sold_ms, sale_price=home.price, **common)
    told: list[tuple[str | None, AnyEvent]] = [
        (None, listed),
        (AMENDED, listing(revision=1, event_time_ms=(first_ms + sold_ms) // 2, **facts)),
        (TWIN, listing(event_id=f"twin-{number}", event_time_ms=first_ms, **facts)),
        (TOO_LARGE, listing(event_time_ms=first_ms, revision=2, **(facts | {"area_m2": 9e3}))),
        (WITHDRAWN, withdrawal(event_time_ms=max(first_ms, sold_ms - 1), **common)),
        (None, paid),
        (CORRECTED, correction(event_time_ms=sold_ms, sale_price=home.price * 1.1, **common)),
        (ERASED, erasure(event_time_ms=sold_ms + DAY_MS, **common)),
    ]
    return [
        (event.event_time_ms + home.delay_h * HOUR_MS, event)
        for twist, event in told
        if twist is None or twist in home.twists
    ]


def log_of(drawn: list[Home]) -> list[AnyEvent]:
    """All events in the order in which they came."""
    arrivals = [arrival for number, home in enumerate(drawn) for arrival in life(home, number)]
    return [event for _, event in sorted(arrivals, key=lambda arrival: arrival[0])]


def logs(twists: tuple[str, ...] = (*TWISTS, ERASED)) -> st.SearchStrategy[list[Record]]:
    return homes(twists).map(log_of).map(records)


def serving(*, market_level: bool = True) -> dict[str, Serving]:
    """A champion, and a frozen market level that knows something of grades."""

    ones, spread = (1.0,) * len(FEATURES), (4.0,) * len(FEATURES)
    weights = tuple(0.01 if name == "home_grade" else 0.0 for name in FEATURES)
    version = corrector(
        feature_names=FEATURES,
        counts=ones,
        means=spread,
        variances=spread,
        weights=weights,
        guard_weight=0.75,
    )
    return {MARKET: Serving(FakeChampion(), version if market_level else None)}
