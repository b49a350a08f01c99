"""Where the prices are wrong: of answers that were served, or of a model on its holdout.

A residual is log sale price less log price: above 0 the home fetched more than was
said. Each figure comes with the number of homes behind it. Not here: the page
(errors_page.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from offline import metrics
from offline.audit import Finding, Importance
from offline.dataset import Dataset
from offline.eda import day, months
from offline.metrics import Figures
from offline.splits import NotEnough
from stream_app.contract.predictions import Outcome
from stream_app.core.features import NAMES

# A segment of fewer homes is shown, and not compared: its median moves by itself.
COMPARED_ROWS = 30
COMPARED_MONTHLY_ROWS = 20
RATIO_MIN = 0.8
WORST_HOMES = 20
PRICE_BANDS = 5  # of equal numbers of homes
AGE_EDGES_YEARS = (0, 5, 15, 30, 60)
_AGE = NAMES.index("home_age_years")

Floats = NDArray[np.float64]
Names = NDArray[np.str_]


@dataclass(frozen=True)
class Judged:
    """One row per home that was priced and sold."""

    market: str
    price: Floats  # as said
    sale_price: Floats
    inside: Floats  # 1: the sale lay inside the 90 % interval; NaN: there was none
    listed_ms: NDArray[np.int64]
    area_m2: Floats
    age_years: Floats
    region: Names
    property_type: Names
    listing_id: Names

    @property
    def residual(self) -> Floats:
        found: Floats = np.log(self.sale_price) - np.log(self.price)
        return found


class Segment(Struct, frozen=True):
    """Homes that have something in common."""

    name: str
    figures: Figures


class Balance(Struct, frozen=True):
    """How far the weakest segment stays behind the best: by 1 - MdAPE, of the compared ones."""

    ratio: float | None  # None: fewer than two are large enough
    weakest: str | None
    best: str | None
    compared: int
    warns: bool  # below `RATIO_MIN`


class Split(Struct, frozen=True):
    """All homes, cut one way."""

    by: str
    segments: tuple[Segment, ...]
    balance: Balance


class Worst(Struct, frozen=True):
    """A home far from its price. No address: who must know it has the listing's id."""

    listing_id: str
    region: str
    property_type: str
    listed: str
    area_m2: float
    age_years: float | None
    price: float
    sale_price: float
    off: float  # price / sale price - 1


class Errors(Struct, frozen=True):
    """All figures of the page."""

    market: str
    currency: str
    of: str
    versions: tuple[str, ...]
    overall: Figures
    residual_median: float
    residual_p05: float
    residual_p95: float
    splits: tuple[Split, ...]
    regions_by_month: dict[str, Balance]
    worst: tuple[Worst, ...]
    importance: tuple[Importance, ...] = ()  # of a model on its holdout
    findings: tuple[Finding, ...] = ()


def of_served(market: str, served: Sequence[Outcome]) -> Judged:
    """Answers as they were served at the listing, where there was one.

    Raises
    ------
    NotEnough : nothing was served and sold
    """
    priced = [(o, o.price) for o in served if o.price is not None]
    if not priced:
        raise NotEnough(f"{market}: no home was priced and then sold after the training")
    outcomes = [outcome for outcome, _ in priced]
    return Judged(
        market=market,
        price=np.array([price for _, price in priced]),
        sale_price=np.array([o.sale_price for o in outcomes]),
        inside=np.array([_inside(o) for o in outcomes]),
        listed_ms=np.array([o.listed_ms for o in outcomes], dtype=np.int64),
        area_m2=np.array([o.area_m2 for o in outcomes]),
        age_years=np.array([o.features[_AGE] for o in outcomes], dtype=np.float64),
        region=np.array([o.region for o in outcomes], dtype=np.str_),
        property_type=np.array([o.property_type for o in outcomes], dtype=np.str_),
        listing_id=np.array([o.listing_id for o in outcomes], dtype=np.str_),
    )


def of_holdout(holdout: Dataset, holdout_log: Floats) -> Judged:
    """What a model without corrector or interval said of its holdout."""
    return Judged(
        market=holdout.market,
        price=np.exp(holdout_log),
        sale_price=np.exp(holdout.log_price),
        inside=np.full(len(holdout), np.nan),
        listed_ms=holdout.listed_ms,
        area_m2=holdout.area_m2,
        age_years=holdout.rows[:, _AGE],
        region=holdout.region,
        property_type=holdout.property_type,
        listing_id=holdout.listing_id,
    )


def analyse(judged: Judged, currency: str, of: str, versions: Sequence[str]) -> Errors:
    """Compute all figures."""
    low, middle, high = np.quantile(judged.residual, (0.05, 0.5, 0.95)).tolist()
    month = months(judged.listed_ms)
    return Errors(
        market=judged.market,
        currency=currency,
        of=of,
        versions=tuple(versions),
        overall=_figures(judged, np.ones(len(judged.price), dtype=np.bool_)),
        residual_median=middle,
        residual_p05=low,
        residual_p95=high,
        splits=(
            _split("region", judged, judged.region),
            _split("type", judged, judged.property_type),
            _split("predicted price", judged, *price_bands(judged.price)),
            _split("age of home", judged, *age_bands(judged.age_years)),
            _split("month of listing", judged, month),
        ),
        regions_by_month={
            str(each): balance(
                _segments(judged, judged.region, month == each), COMPARED_MONTHLY_ROWS
            )
            for each in np.unique(month)
        },
        worst=tuple(_worst(judged)),
    )


def balance(segments: Iterable[Segment], rows_min: int = COMPARED_ROWS) -> Balance:
    """Compare the weakest segment with the best, by the typical accuracy 1 - MdAPE.

    >>> good = Segment("a", Figures(50, 1.0, 0.05, 0.0, 1.0))
    >>> poor = Segment("b", Figures(50, 1.0, 0.30, 0.0, 1.0))
    >>> found = balance([good, poor])
    >>> round(found.ratio, 3), found.weakest, found.warns
    (0.737, 'b', True)
    """
    right = sorted(
        (1 - s.figures.mdape, s.name)
        for s in segments
        if s.figures.mdape is not None and s.figures.rows >= rows_min
    )
    if len(right) < 2:
        return Balance(None, None, None, len(right), warns=False)
    (low, weakest), (high, best) = right[0], right[-1]
    ratio = max(low, 0.0) / high if high > 0 else 0.0
    return Balance(ratio, weakest, best, len(right), warns=ratio < RATIO_MIN)


def price_bands(price: Floats) -> tuple[Names, list[str]]:
    """Bands of equal numbers of homes by the price that was said, never by the sale's:
    cut by what came of it, each band would have the error that put it there.
    """
    edges = np.quantile(price, np.linspace(0, 1, PRICE_BANDS + 1))
    edges = np.unique(np.array([float(f"{edge:.2g}") for edge in edges]))[1:-1]
    names = _names_between([f"{edge:,.0f}" for edge in edges])
    return np.array(names)[np.searchsorted(edges, price, side="right")], names


def age_bands(age_years: Floats) -> tuple[Names, list[str]]:
    """Bands of the age at listing; sold off the plan, a home is not yet 0 years old."""
    edges = AGE_EDGES_YEARS
    names = [
        "not yet built",
        *(f"{low} to {high} years" for low, high in pairwise(edges)),
        f"{edges[-1]} years and more",
        "unknown",
    ]
    place = np.where(
        np.isnan(age_years), len(names) - 1, np.searchsorted(edges, age_years, side="right")
    )
    return np.array(names)[place], names


def _names_between(edges: Sequence[str]) -> list[str]:
    if not edges:
        return ["all"]
    between = [f"{low} to {high}" for low, high in pairwise(edges)]
    return [f"below {edges[0]}", *between, f"{edges[-1]} and more"]


def _split(by: str, judged: Judged, names: Names, order: Sequence[str] | None = None) -> Split:
    segments = _segments(judged, names, np.ones(len(names), dtype=np.bool_), order)
    return Split(by, segments, balance(segments))


def _segments(
    judged: Judged, names: Names, among: NDArray[np.bool_], order: Sequence[str] | None = None
) -> tuple[Segment, ...]:
    found = np.unique(names[among]).tolist()
    wanted = found if order is None else [name for name in order if name in found]
    return tuple(Segment(name, _figures(judged, among & (names == name))) for name in wanted)


def _figures(judged: Judged, chosen: NDArray[np.bool_]) -> Figures:
    return metrics.judge(judged.price[chosen], judged.sale_price[chosen], judged.inside[chosen])


def _worst(judged: Judged) -> Iterable[Worst]:
    for place in np.argsort(-np.abs(judged.residual), kind="stable")[:WORST_HOMES].tolist():
        age = float(judged.age_years[place])
        price, sale_price = float(judged.price[place]), float(judged.sale_price[place])
        yield Worst(
            str(judged.listing_id[place]),
            str(judged.region[place]),
            str(judged.property_type[place]),
            day(int(judged.listed_ms[place])),
            float(judged.area_m2[place]),
            None if np.isnan(age) else age,
            price,
            sale_price,
            price / sale_price - 1,
        )


def _inside(outcome: Outcome) -> float:
    if outcome.price_low is None or outcome.price_high is None:
        return float("nan")
    return float(outcome.price_low <= outcome.sale_price <= outcome.price_high)
