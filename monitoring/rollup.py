"""Daily figures of a market, folded from archived rows. Pure.

Theory. A day is a bag of counts, name -> integer, and so are sums (log units in millionths).
To add bags is all the arithmetic there is: parts in any order, cut anywhere, make the whole,
bit for bit. A day is one of the market's own time (event time, UTC): of a listing for what was
answered, of a sale for what came true. No listing can be told from a bag.

    event.<kind>  reject.<code>                     as they came
    answer  step.<step>  doubt.<reason>  version.<champion>    one for each prediction
    price.<bin>  width.<bin>  latency.<bin>         histograms; a bin is its lower edge (bin_of)
    served.<age>.n|abs|signed|square                |log error| of what was served, by label age
    champion. answer. naive.<age>...                the same, on sales that all three answered
    interval.n|in  near.n|in  corrected             coverage; within 10 %; told again
    listed.n|log  labelled.n|log                    by day of listing: priced at all, and sold so far

Of a sale its first word counts: later ones are counted as `corrected`, and move no error. A
histogram has some hundred bins at most, however many rows there are.

Not here: what is read and where it is kept (rollup_store.py), what it means (page/).
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

from monitoring.heads import head_of
from monitoring.quality import ANSWER, CHAMPION, NAIVE
from stream_app.contract.events import EVENT_TYPES, kind_of_type
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import EVENTS, OUTCOMES, PREDICTIONS, REJECTS, Topic

SERVED = "served"
KINDS = (SERVED, ANSWER, CHAMPION, NAIVE)
# Days from listing to sale, upper ends: fast sellers are not all homes.
AGES = {"7d": 7.0, "30d": 30.0, "60d": 60.0, "120d": 120.0, "older": math.inf}
MILLIONTHS = 1_000_000
# Width of a bin, log units: prices by some 10 %, widths and latencies by some 5 %.
BIN_LOG = {"price": 0.1, "width": 0.05, "latency": 0.05}
LATENCY_LEAST_MS = 1.0  # what took less is told as this
NEAR = 0.1  # of the sale price
UNREADABLE = "unreadable"
OTHER = "other"  # of what came as bytes without a known name
KINDS_OF_EVENTS = tuple(map(kind_of_type, EVENT_TYPES))

Numbers = NDArray[np.float64]


class Day(Struct):
    """What is known of one day."""

    counts: dict[str, int] = {}
    appended_ms: int | None = None  # when the broker took the first of its rows


Days = dict[int, Day]  # days since 1970-01-01


def add(into: Days, days: Mapping[int, Day]) -> None:
    """Add figures to others."""
    for number, day in days.items():
        mine = into.setdefault(number, Day())
        for name, count in day.counts.items():
            mine.counts[name] = mine.counts.get(name, 0) + count
        mine.appended_ms = _least(mine.appended_ms, day.appended_ms)


def named(counts: Mapping[str, int], group: str) -> dict[str, int]:
    """The counts of a group, by what comes after its name.

    >>> named({"step.champion": 3, "answer": 4}, "step")
    {'champion': 3}
    """
    start = f"{group}."
    return {name[len(start) :]: n for name, n in counts.items() if name.startswith(start)}


def bin_of(group: str, value: float) -> int:
    """Number of the bin that holds a value.

    >>> bin_of("price", 500_000.0), round(edge("price", 131))
    (131, 488942)
    """
    return math.floor(math.log(value) / BIN_LOG[group])


def edge(group: str, number: int) -> float:
    """Lower edge of a bin."""
    return math.exp(number * BIN_LOG[group])


def quantile(bins: Mapping[str, int], group: str, share: float) -> float | None:
    """A quantile of a histogram, true to half a bin; None of nothing.

    >>> round(quantile({"0": 99, "92": 1}, "latency", 0.5), 2)
    1.03
    """
    wanted = share * sum(bins.values())
    seen = 0
    for number in sorted(map(int, bins)):
        seen += bins[str(number)]
        if seen >= wanted:
            return math.exp((number + 0.5) * BIN_LOG[group])
    return None


def columns(topic: Topic) -> Sequence[str]:
    """What of a file is read."""
    return _COLUMNS[topic.name]


def fold(topic: Topic, table: pa.Table) -> Days:
    """The figures of rows of one topic. The table has at least its `columns`."""
    days: Days = {}
    if table.num_rows:
        _FOLDS[topic.name](days, table)
    return days


def _fold_events(days: Days, table: pa.Table) -> None:
    heads = [head_of(value) for value in table["value"].to_pylist()]
    names = [_known(head.kind) for head in heads]
    _count_raw(days, table, [head.event_time_ms for head in heads], "event", names)


def _fold_rejects(days: Days, table: pa.Table) -> None:
    times = [head_of(value).event_time_ms for value in table["value"].to_pylist()]
    codes = [_header(headers, "code") for headers in table["headers"].to_pylist()]
    _count_raw(days, table, times, "reject", codes)


def _count_raw(
    days: Days,
    table: pa.Table,
    times_ms: Sequence[int | None],
    group: str,
    names: Sequence[str],
) -> None:
    came = table["appended_ms"].to_pylist()
    at = [took if time is None else time for time, took in zip(times_ms, came, strict=True)]
    number = _days(np.array(at))
    _count(days, number, [f"{group}.{name}" for name in names])
    _note_append(days, number, table)


def _fold_predictions(days: Days, table: pa.Table) -> None:
    number = _days(table["event_time_ms"].to_numpy())
    price, low, high, latency = (
        _floats(table, name) for name in ("price", "price_low", "price_high", "latency_ms")
    )
    _count(days, number, "answer")
    _count(days, number, _prefixed("step", table["step"]))
    _count(days, number, _prefixed("version", table["versions_champion"]))
    _count(days, number, _binned("price", price))
    _count(days, number, _binned("width", high / low))
    _count(days, number, _binned("latency", np.maximum(latency, LATENCY_LEAST_MS)))
    _sum_log(days, number, "listed", price)
    reasons = table["quality_reasons"].combine_chunks()
    rows = pc.list_parent_indices(reasons).to_numpy()
    _count(days, number[rows], _prefixed("doubt", pc.list_flatten(reasons)))
    _note_append(days, number, table)


def _fold_outcomes(days: Days, table: pa.Table) -> None:
    _count(days, _days(table["sold_ms"].to_numpy()), "corrected", where=_flags(table, "corrects"))
    first = table.filter(pc.invert(table["corrects"]))
    number = _days(first["sold_ms"].to_numpy())
    sale, price, low, high = (
        _floats(first, name) for name in ("sale_price", "price", "price_low", "price_high")
    )
    _truth(days, number, first, np.log(sale))
    _share(days, number, "near", np.isfinite(price), np.abs(price / sale - 1) <= NEAR)
    _share(days, number, "interval", np.isfinite(low * high), (low <= sale) & (sale <= high))
    _sum_log(days, _days(first["listed_ms"].to_numpy()), "labelled", price)
    _note_append(days, number, first)


def _truth(days: Days, number: NDArray[np.int64], table: pa.Table, sale_log: Numbers) -> None:
    errors = {
        SERVED: np.log(_floats(table, "price")) - sale_log,
        CHAMPION: _floats(table, "components_champion_log") - sale_log,
        NAIVE: _floats(table, "components_naive_log") - sale_log,
    }
    all_three = np.isfinite(sum(errors.values()))
    errors[ANSWER] = errors[SERVED]
    waited = (table["sold_ms"].to_numpy() - table["listed_ms"].to_numpy()) / DAY_MS
    ages = np.array(list(AGES))[np.searchsorted(np.array(list(AGES.values())), waited)]
    for kind, error in errors.items():
        judged = np.isfinite(error) & (all_three | (kind == SERVED))
        sums = {"n": np.ones_like(error), "abs": np.abs(error), "signed": error, "square": error**2}
        for what, values in sums.items():
            names = [f"{kind}.{age}.{what}" for age in ages]
            amount = values if what == "n" else values * MILLIONTHS
            _count(days, number, names, where=judged, amount=amount)


def _sum_log(days: Days, number: NDArray[np.int64], group: str, price: Numbers) -> None:
    known = np.isfinite(price)
    _count(days, number, f"{group}.n", where=known)
    _count(days, number, f"{group}.log", where=known, amount=np.log(price) * MILLIONTHS)


def _share(
    days: Days,
    number: NDArray[np.int64],
    group: str,
    known: NDArray[np.bool_],
    inside: NDArray[np.bool_],
) -> None:
    _count(days, number, f"{group}.n", where=known)
    _count(days, number, f"{group}.in", where=known & inside)


def _count(
    days: Days,
    number: NDArray[np.int64],
    names: str | Sequence[str | None] | pa.Array,
    *,
    where: NDArray[np.bool_] | None = None,
    amount: Numbers | None = None,
) -> None:
    """Add one, or an amount, to the day and name of each row that has a name."""
    amounts = np.ones(len(number)) if amount is None else amount
    each = [names] * len(number) if isinstance(names, str) else names
    rows = pa.table(
        {
            "day": number,
            "name": pa.array(each, pa.string()) if isinstance(each, list) else each,
            "amount": np.rint(np.nan_to_num(amounts)).astype(np.int64),
        }
    )
    rows = (rows if where is None else rows.filter(pa.array(where))).drop_null()
    sums = rows.group_by(["day", "name"]).aggregate([("amount", "sum")])
    for day, name, added in zip(
        *(sums[column].to_pylist() for column in ("day", "name", "amount_sum")), strict=True
    ):
        counts = days.setdefault(day, Day()).counts
        counts[name] = counts.get(name, 0) + added


def _note_append(days: Days, number: NDArray[np.int64], table: pa.Table) -> None:
    rows = pa.table({"day": number, "came": table["appended_ms"]})
    first = rows.group_by("day").aggregate([("came", "min")])
    for day, came in zip(first["day"].to_pylist(), first["came_min"].to_pylist(), strict=True):
        mine = days.setdefault(day, Day())
        mine.appended_ms = _least(mine.appended_ms, came)


def _days(times_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    return times_ms // DAY_MS


def _floats(table: pa.Table, name: str) -> Numbers:
    """A column, NaN where unknown; all of it in a file of before the column was kept."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    return np.asarray(table[name].cast(pa.float64()).to_numpy(), dtype=np.float64)


def _flags(table: pa.Table, name: str) -> NDArray[np.bool_]:
    return np.asarray(table[name].to_numpy(), dtype=np.bool_)


def _binned(group: str, values: Numbers) -> list[str | None]:
    known = np.isfinite(values) & (values > 0)
    numbers = np.floor(np.log(np.where(known, values, 1.0)) / BIN_LOG[group]).astype(np.int64)
    return [
        f"{group}.{n}" if is_known else None for n, is_known in zip(numbers, known, strict=True)
    ]


def _prefixed(group: str, names: pa.Array) -> list[str | None]:
    return [None if name is None else f"{group}.{name}" for name in names.to_pylist()]


def _known(kind: str | None) -> str:
    if kind is None:
        return UNREADABLE
    return kind if kind in KINDS_OF_EVENTS else OTHER


def _header(headers: Iterable[Mapping[str, object]] | None, wanted: str) -> str:
    said = {header["name"]: header["value"] for header in headers or ()}.get(wanted)
    return said.decode("ascii", "replace") if isinstance(said, bytes) else UNREADABLE


def _least(one: int | None, other: int | None) -> int | None:
    known = [time_ms for time_ms in (one, other) if time_ms is not None]
    return min(known, default=None)


_PLACE = ("appended_ms",)
_FOLDS = {
    EVENTS.name: _fold_events,
    REJECTS.name: _fold_rejects,
    PREDICTIONS.name: _fold_predictions,
    OUTCOMES.name: _fold_outcomes,
}
_COLUMNS: Mapping[str, Sequence[str]] = {
    EVENTS.name: (*_PLACE, "value"),
    REJECTS.name: (*_PLACE, "value", "headers"),
    PREDICTIONS.name: (
        *_PLACE,
        "latency_ms",
        "event_time_ms",
        "step",
        "quality_reasons",
        "versions_champion",
        "price",
        "price_low",
        "price_high",
    ),
    OUTCOMES.name: (
        *_PLACE,
        "listed_ms",
        "sold_ms",
        "corrects",
        "sale_price",
        "price",
        "price_low",
        "price_high",
        "components_champion_log",
        "components_naive_log",
    ),
}
