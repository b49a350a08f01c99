"""The page of a data set: what eda.py found, with pictures."""

from collections.abc import Sequence

import numpy as np

from offline import audit, pictures
from offline.dataset import Dataset
from offline.eda import CORRELATED, FAR_OUT, Eda, Group, Spread, numbers
from offline.page import Section, Table
from offline.pictures import Groups, Picture
from stream_app.core.features import NAMES

_SPREAD_COLUMNS = [
    "feature",
    "known",
    "unknown",
    "distinct",
    "min",
    "p01",
    "median",
    "mean",
    "p99",
    "max",
    "skew",
]


def sections(data: Dataset, found: Eda) -> list[Section]:
    """All parts of the page, in the order in which one asks."""
    return [
        _cleaning(found),
        _target(data, found),
        _time_and_place(data, found),
        _missing(found),
        _outliers(found),
        _correlations(data, found),
        Section(
            "All features",
            "What each feature holds, as it would be served. Unknown is a value of its own.",
            tables=[_spreads("Features", found.features)],
        ),
    ]


def _cleaning(found: Eda) -> Section:
    rows = [
        (c.rule, c.before, c.dropped, c.after, c.must_hold, "; ".join(c.examples) or None)
        for c in found.cleaning
        if c.before > 0
    ]
    columns = "rule", "before", "dropped", "after", "must hold", "examples"
    return Section(
        "Cleaning",
        f"{found.cleaning[0].before:,} events became {found.rows:,} rows. Each line is a rule: "
        "events before it, how many it dropped, what is left.",
        tables=[Table("From events to rows", columns, rows)],
    )


def _target(data: Dataset, found: Eda) -> Section:
    price = np.exp(data.log_price)
    skewed = ", ".join(f"{s.name} {s.skew:.2f}" for s in found.target if s.skew is not None)
    return Section(
        "Target",
        f"Skew: {skewed}. A price with a skew above 1 is modelled as its logarithm; "
        f"here: {found.modelled_as}.",
        [
            pictures.histogram(price, "Sale price", found.currency),
            pictures.histogram(data.log_price, "Log of the sale price", f"log {found.currency}"),
            pictures.histogram(
                price / data.area_m2, "Price of a square metre", f"{found.currency} per m2"
            ),
            pictures.histogram(data.area_m2, "Living area", "m2"),
        ],
        [_spreads("Sale price", found.target)],
    )


def _time_and_place(data: Dataset, found: Eda) -> Section:
    unit = f"{found.currency} per m2"
    by_place = _map(data, unit)
    shown = [
        pictures.line_of_groups(_groups(found.by_month), "By month of sale", unit, "middle half"),
        *by_place,
        *pictures.dots_of_groups(
            _groups(found.by_region), "By region, dearest first", unit, "middle half"
        ),
    ]
    columns = "name", "homes", "lower quartile", "median", "upper quartile"
    return Section(
        "Time and place",
        "Price of a square metre: the median and the middle half of the homes.",
        shown,
        [
            Table(f"Price of a square metre by {name}, {unit}", columns, _rows(groups), folded=True)
            for name, groups in (("month", found.by_month), ("region", found.by_region))
        ],
        () if by_place else ["No map: this market publishes no coordinates."],
    )


def _map(data: Dataset, unit: str) -> list[Picture]:
    longitude, latitude = (
        data.rows[:, NAMES.index(f"home_{name}")] for name in ("longitude", "latitude")
    )
    known = ~np.isnan(longitude) & ~np.isnan(latitude)
    if not known.any():
        return []
    per_m2 = np.exp(data.log_price[known]) / data.area_m2[known]
    return [pictures.map_of(longitude[known], latitude[known], per_m2, "Where they stand", unit)]


def _missing(found: Eda) -> Section:
    years = list(found.missing)
    names = [n for n in NAMES if any(found.missing[y][n] > 0 for y in years)]
    never = [n for n in names if all(found.missing[y][n] == 1 for y in years)]
    some = [n for n in names if n not in never]
    shares = np.array([[found.missing[y][n] for y in years] for n in some])
    count = ", ".join(f"{y}: {n:,}" for y, n in found.rows_by_year.items())
    return Section(
        "Missing values",
        f"Share of homes that lack a value, by year of listing ({count}). "
        f"Never published here: {', '.join(never) or 'nothing'}. "
        "What is in neither is always known.",
        [pictures.heat(shares, some, years, "Missing share", found.rows)] if some else [],
    )


def _outliers(found: Eda) -> Section:
    far = [
        (f.feature, f.known, f.below, f.above, f.low, f.from_value, f.to_value, f.high)
        for f in found.far_out
    ]
    homes = [
        (u.listing_id, u.region, u.sold, u.area_m2, u.price, u.price_per_m2, u.ratio)
        for u in found.unusual
    ]
    return Section(
        "Outliers",
        "What no rule rejects is kept, however unusual: the trees bear it, and the answer is for "
        f"such homes too. Far out is more than {FAR_OUT:g} widths of the middle half beyond it.",
        tables=[
            Table(
                "Far out, and kept",
                ("feature", "known", "below", "above", "min", "usual from", "usual to", "max"),
                far,
            ),
            Table(
                "Homes furthest from their region's median price of a square metre",
                (
                    "listing",
                    "region",
                    "sold",
                    "m2",
                    f"price, {found.currency}",
                    f"{found.currency} per m2",
                    "times the median",
                ),
                homes,
            ),
        ],
    )


def _correlations(data: Dataset, found: Eda) -> Section:
    columns = [("log_price", data.log_price)]
    columns += [(name, data.rows[:, i]) for name, i in numbers(data)]
    matrix = np.array([[audit.correlation(a, b) for _, b in columns] for _, a in columns], float)
    pairs = [(p.first, p.second, p.r, p.rows) for p in found.correlated]
    price = [(p.first, p.r, p.rows) for p in found.with_price]
    return Section(
        "Correlations",
        f"Numbers only, on the homes that know both. {len(pairs)} pairs of features lie beyond "
        f"{CORRELATED}: they carry a dot. Trees bear such twins; they share the importance.",
        [
            pictures.correlations(
                matrix, [n for n, _ in columns], CORRELATED, "Pearson's r", found.rows
            )
        ],
        [
            Table(f"Beyond {CORRELATED}", ("feature", "and", "r", "homes"), pairs),
            Table("With the log price", ("feature", "r", "homes"), price, folded=True),
        ],
    )


def _spreads(caption: str, found: Sequence[Spread]) -> Table:
    rows = [
        (
            s.name,
            s.known,
            s.unknown,
            s.distinct,
            s.low,
            s.p01,
            s.median,
            s.mean,
            s.p99,
            s.high,
            s.skew,
        )
        for s in found
    ]
    return Table(caption, _SPREAD_COLUMNS, rows)


def _rows(groups: Sequence[Group]) -> list[tuple[str, int, float, float, float]]:
    return [(g.name, g.rows, g.q25, g.median, g.q75) for g in groups]


def _groups(found: Sequence[Group]) -> Groups:
    return Groups(
        [g.name for g in found],
        np.array([g.median for g in found]),
        np.array([g.q25 for g in found]),
        np.array([g.q75 for g in found]),
        np.array([g.rows for g in found]),
    )
