"""What a data set holds, in figures: before anybody makes a model of it.

Of the rows that training would see, so of homes that were sold. Prices are in the
market's currency. Not here: the page (eda_page.py).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from offline import audit
from offline.accounts import Dropped, account
from offline.dataset import Dataset
from offline.splits import NotEnough
from stream_app.core.features import CATEGORICAL, NAMES

CORRELATED = 0.8
# A share of the middle half's width beyond it: three is what Tukey called far out.
FAR_OUT = 3.0
UNUSUAL_HOMES = 20
_LOGGED = 1.0  # of a target more skewed than this, the logarithm is modelled

Floats = NDArray[np.float64]


class Spread(Struct, frozen=True):
    """One column's known values."""

    name: str
    known: int
    unknown: int
    distinct: int
    low: float | None = None
    p01: float | None = None
    median: float | None = None
    mean: float | None = None
    p99: float | None = None
    high: float | None = None
    skew: float | None = None


class FarOut(Struct, frozen=True):
    """Values that no rule rejects, far from the others: kept."""

    feature: str
    known: int
    from_value: float
    to_value: float
    below: int
    above: int
    low: float
    high: float


class Unusual(Struct, frozen=True):
    """A home whose price per m2 is far from its region's median."""

    listing_id: str
    region: str
    sold: str
    area_m2: float
    price: float
    price_per_m2: float
    ratio: float  # to the region's median price per m2


class Pair(Struct, frozen=True):
    """Two columns and their correlation."""

    first: str
    second: str
    r: float
    rows: int


class Group(Struct, frozen=True):
    """Price per m2 of one month or region."""

    name: str
    rows: int
    q25: float
    median: float
    q75: float


class Eda(Struct, frozen=True):
    """All figures of the page."""

    market: str
    currency: str
    rows: int
    first_sold: str
    last_sold: str
    events: dict[str, int]
    cleaning: tuple[Dropped, ...]
    target: tuple[Spread, ...]
    modelled_as: str
    features: tuple[Spread, ...]
    missing: dict[str, dict[str, float]]  # year -> feature -> share
    rows_by_year: dict[str, int]
    far_out: tuple[FarOut, ...]
    unusual: tuple[Unusual, ...]
    correlated: tuple[Pair, ...]  # features, beyond `CORRELATED`
    with_price: tuple[Pair, ...]  # each number with the log price
    by_month: tuple[Group, ...]
    by_region: tuple[Group, ...]


def explore(data: Dataset, currency: str) -> Eda:
    """Compute all figures.

    Raises
    ------
    NotEnough : no home was sold
    """
    if not len(data):
        raise NotEnough(f"{data.market}: no home was sold")
    price = np.exp(data.log_price)
    per_m2 = price / data.area_m2
    target = (
        spread("price", price),
        spread("log_price", data.log_price),
        spread("price_per_m2", per_m2),
    )
    logged = (target[0].skew or 0.0) > _LOGGED
    years = np.array([year(at) for at in data.listed_ms.tolist()])
    return Eda(
        market=data.market,
        currency=currency,
        rows=len(data),
        first_sold=day(int(data.sold_ms[0])),
        last_sold=day(int(data.sold_ms[-1])),
        events=data.counts,
        cleaning=account(data.counts, len(data), data.examples),
        target=target,
        modelled_as="log price" if logged else "price would do: its skew is at most 1",
        features=tuple(spread(name, data.rows[:, i]) for i, name in enumerate(NAMES)),
        missing={y: _missing(data.rows[years == y]) for y in np.unique(years).tolist()},
        rows_by_year={y: int((years == y).sum()) for y in np.unique(years).tolist()},
        far_out=tuple(_far_out(data)),
        unusual=tuple(_unusual(data, price, per_m2)),
        correlated=tuple(_correlated(data)),
        with_price=tuple(_with_price(data)),
        by_month=tuple(groups(months(data.sold_ms), per_m2)),
        by_region=tuple(sorted(groups(data.region, per_m2), key=lambda g: -g.median)),
    )


def spread(name: str, values: Floats) -> Spread:
    """Describe a column; NaN is unknown, and of codes there is no mean.

    >>> spread("x", np.array([1.0, 2.0, np.nan])).median
    1.5
    """
    known = values[~np.isnan(values)]
    unknown, distinct = len(values) - known.size, np.unique(known).size
    if not known.size or name in CATEGORICAL:
        return Spread(name, known.size, unknown, distinct)
    low, p01, median, p99, high = np.quantile(known, (0, 0.01, 0.5, 0.99, 1)).tolist()
    mean = float(known.mean())
    return Spread(
        name, known.size, unknown, distinct, low, p01, median, mean, p99, high, skew(known)
    )


def skew(known: Floats) -> float | None:
    """Third standardised moment; None of a constant.

    >>> round(skew(np.array([0.0, 0.0, 0.0, 1.0])), 4), skew(np.array([2.0, 2.0]))
    (1.1547, None)
    """
    deviation = known.std()
    if deviation == 0:
        return None
    return float((((known - known.mean()) / deviation) ** 3).mean())


def groups(names: Sequence[str] | NDArray[np.str_], values: Floats) -> Iterable[Group]:
    """Quartiles per name, in the order of names."""
    names = np.asarray(names)
    for name in np.unique(names).tolist():
        chosen = values[names == name]
        q25, median, q75 = np.quantile(chosen, (0.25, 0.5, 0.75)).tolist()
        yield Group(str(name), len(chosen), q25, median, q75)


def months(times_ms: NDArray[np.int64]) -> NDArray[np.str_]:
    """Month of each time, UTC, as text: 2014-05."""
    return np.datetime_as_string(times_ms.astype("datetime64[ms]"), unit="M")


def day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def year(at_ms: int) -> str:
    return day(at_ms)[:4]


def numbers(data: Dataset) -> list[tuple[str, int]]:
    """Name and place of the features that are numbers, and known and different somewhere."""
    return [
        (name, i)
        for i, name in enumerate(NAMES)
        if name not in CATEGORICAL
        and not np.isnan(data.rows[:, i]).all()
        and np.nanmin(data.rows[:, i]) < np.nanmax(data.rows[:, i])
    ]


def _missing(rows: Floats) -> dict[str, float]:
    shares = np.isnan(rows).mean(axis=0).tolist()
    return dict(zip(NAMES, shares, strict=True))


def _far_out(data: Dataset) -> Iterable[FarOut]:
    for name, i in numbers(data):
        known = data.rows[:, i][~np.isnan(data.rows[:, i])]
        q25, q75 = np.quantile(known, (0.25, 0.75)).tolist()
        reach = FAR_OUT * (q75 - q25)
        low, high = q25 - reach, q75 + reach
        below, above = int((known < low).sum()), int((known > high).sum())
        if reach > 0 and below + above > 0:
            least, most = float(known.min()), float(known.max())
            yield FarOut(name, known.size, low, high, below, above, least, most)


def _unusual(data: Dataset, price: Floats, per_m2: Floats) -> Iterable[Unusual]:
    medians = {g.name: g.median for g in groups(data.region, per_m2)}
    ratio = per_m2 / np.array([medians[region] for region in data.region.tolist()])
    for place in np.argsort(-np.abs(np.log(ratio)), kind="stable")[:UNUSUAL_HOMES].tolist():
        yield Unusual(
            str(data.listing_id[place]),
            str(data.region[place]),
            day(int(data.sold_ms[place])),
            float(data.area_m2[place]),
            float(price[place]),
            float(per_m2[place]),
            float(ratio[place]),
        )


def _correlated(data: Dataset) -> Iterable[Pair]:
    found = audit.correlated(data, CORRELATED)
    pairs = [
        Pair(a, b, r, _both(data.rows[:, NAMES.index(a)], data.rows[:, NAMES.index(b)]))
        for a, b, r in found
    ]
    return sorted(pairs, key=lambda pair: -abs(pair.r))


def _with_price(data: Dataset) -> Iterable[Pair]:
    pairs = [
        Pair(name, "log_price", r, int((~np.isnan(data.rows[:, i])).sum()))
        for name, i in numbers(data)
        if (r := audit.correlation(data.rows[:, i], data.log_price)) is not None
    ]
    return sorted(pairs, key=lambda pair: -abs(pair.r))


def _both(first: Floats, second: Floats) -> int:
    return int((~np.isnan(first) & ~np.isnan(second)).sum())
