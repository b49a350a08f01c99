"""What stands below the first line: flow, inputs, outputs, truth, as charts and tables. Pure.

Every figure has its n, window and baseline; of what nothing is known, no figure.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from monitoring import rollup
from monitoring.page import figures, reports
from monitoring.page.charts import Bar, Chart, Histogram, Line
from monitoring.page.figures import Stretch, Sums
from monitoring.page.judging import errors, is_red
from monitoring.page.known import Known
from monitoring.page.tables import Cell, Column, Link, Table, Unit
from monitoring.page.view import View, day_of
from stream_app.contract.counts import counted
from stream_app.contract.spans import DAY_MS

COMPARED = (Column("window", Unit.COUNT), Column("per day", Unit.RATE))
BASE = (Column("baseline", Unit.COUNT), Column("baseline per day", Unit.RATE))
INPUTS_MAX = 12  # worst first, or all that drifted would be lost among those that did not
ROWS_PER_PAGE = 26  # windows: half a year of weeks


class Section(NamedTuple):
    key: str
    title: str
    charts: Sequence[Chart] = ()
    histograms: Sequence[Histogram] = ()
    tables: Sequence[Table] = ()

    def all_tables(self) -> list[Table]:
        drawn = [chart.table() for chart in self.charts]
        return [*self.tables, *drawn, *(each.table() for each in self.histograms)]


def flow(known: Known, view: View) -> Section:
    """What came, what was answered, how soon."""
    sums, cuts = known.sums[view.market], view.cuts()
    rates = (
        _rate(sums, cuts, "listings", "one", "event.listing"),
        _rate(sums, cuts, "sales", "two", "event.sale"),
        _rate(sums, cuts, "answers", "three", "answer"),
    )
    came = Chart(
        "flow", "Events and answers a day", view.axis_words, Unit.RATE, cuts, rates, least=0.0
    )
    waits = [
        Line(name, style, [figures.quantile(sums, "latency", cut, part) for cut in cuts])
        for name, style, part in (
            ("median", "one", 0.5),
            ("95 %", "two", 0.95),
            ("99 %", "four", 0.99),
        )
    ]
    counts = [sum(sums.group("latency", cut).values()) for cut in cuts]
    latency = Chart(
        "latency",
        "From event to answer",
        view.axis_words,
        Unit.MS,
        cuts,
        waits,
        counts=counts,
        least=0.0,
    )
    return Section("flow", "Flow", (came, latency), tables=(_flow_table(sums, view),))


def _rate(sums: Sums, cuts: Iterable[Stretch], name: str, style: str, count: str) -> Line:
    return Line(name, style, [sums.sum(count, cut) / cut.days for cut in cuts])


def _flow_table(sums: Sums, view: View) -> Table:
    groups = (("event", "events: "), ("reject", "rejected: "), ("doubt", "answered, but "))
    names = [("answer", "answers"), ("corrected", "sales told again")]
    for group, words in groups:
        both = sums.group(group, Stretch(view.baseline.first, view.window.end))
        names += [(f"{group}.{name}", words + name.replace("_", " ")) for name in sorted(both)]
    rows = [_compared(sums, view, name, words) for name, words in names]
    undated = sum(sums.outside(group) for group in ("event", "reject"))
    about = f"{view.words}; {counted(undated, 'event')} with a date that is none of the market's"
    return Table("flow-counts", "Counts", about, (Column("what"), *COMPARED, *BASE), rows)


def _compared(sums: Sums, view: View, name: str, words: str) -> tuple[Cell, ...]:
    now, then = sums.sum(name, view.window), sums.sum(name, view.baseline)
    known = _length(sums, view.baseline)
    return (
        words,
        now,
        now / view.window.days,
        then if known else None,
        then / known if known else None,
    )


def _length(sums: Sums, stretch: Stretch) -> int:
    """Days of a stretch on which anything is known of the market."""
    return max(0, min(stretch.end, sums.axis.end) - max(stretch.first, sums.axis.first))


def inputs(known: Known, view: View) -> Section:
    """How far inputs have moved, as the newest Evidently report measured it."""
    columns = (
        Column("input"),
        Column("score", Unit.SCORE),
        Column("limit", Unit.SCORE),
        Column("unknown in baseline", Unit.SHARE),
        Column("unknown now", Unit.SHARE),
        Column("method"),
    )
    found = reports.newest(known.reports, view.market)
    if found is None or found.drift is None:
        empty = "unknown: no report yet; python -m monitoring report makes one"
        return Section(
            "inputs", "Inputs", tables=(Table("drift", "Drift", "", columns, (), empty=empty),)
        )
    drift = found.drift
    worst_first = sorted(drift.columns, key=lambda c: (not c.drifted, -(c.score or 0.0)))
    # What a market never has is no news.
    had = [c for c in worst_first if min(c.unknown_reference, c.unknown_current) < 1]
    about = (
        f"window {_rows(drift.current)}, baseline {_rows(drift.reference)}; report of {found.made}"
    )
    rows = [
        (c.column, c.score, c.score_max, c.unknown_reference, c.unknown_current, c.method)
        for c in had
    ]
    links = [
        (Link("report", f"/reports/{found.run}/drift.html"),)
        if c.drifted and "drift.html" in found.files
        else ()
        for c in had
    ]
    red = frozenset(place for place, column in enumerate(had) if column.drifted)
    table = Table("drift", "Drift", about, columns, rows, links, red, most=INPUTS_MAX)
    return Section("inputs", "Inputs", tables=(table,))


def _rows(side: reports.Rows) -> str:
    if side.from_day is None:
        return f"of {side.what}, no rows"
    return f"{side.from_day} to {side.to_day} ({counted(side.rows, 'row')} of {side.what})"


def outputs(known: Known, view: View) -> Section:
    """What was answered: prices, widths of the interval, who answered."""
    sums, cuts = known.sums[view.market], view.cuts()
    counts = [sum(sums.group("width", cut).values()) for cut in cuts]
    widths = [_width(sums, cut) for cut in cuts]
    width = Chart(
        "width",
        "Width of the interval",
        f"median of high less low, as a share of low; {view.axis_words}",
        Unit.SHARE,
        cuts,
        (Line("width", "one", widths),),
        counts=counts,
        least=0.0,
    )
    names = sums.group("step", view.axis)
    answered = [_part(sums, cuts, name, style) for name, style in zip(names, STYLES, strict=False)]
    steps = Chart(
        "steps",
        "Who answered",
        f"share of the answers; {view.axis_words}",
        Unit.SHARE,
        cuts,
        answered,
        counts=[sums.sum("answer", cut) for cut in cuts],
        least=0.0,
    )
    return Section("outputs", "Outputs", (width, steps), (_prices(sums, view),))


STYLES = ("one", "two", "three", "four", "five")


def _width(sums: Sums, stretch: Stretch) -> float | None:
    ratio = figures.quantile(sums, "width", stretch, 0.5)
    return None if ratio is None else ratio - 1


def _part(sums: Sums, cuts: Iterable[Stretch], step: str, style: str) -> Line:
    values = [
        sums.sum(f"step.{step}", cut) / all_of if (all_of := sums.sum("answer", cut)) else None
        for cut in cuts
    ]
    return Line(step.replace("_", " "), style, values)


def _prices(sums: Sums, view: View) -> Histogram:
    now, then = (sums.group("price", stretch) for stretch in (view.window, view.baseline))
    n, n_before = sum(now.values()), sum(then.values())
    numbers = [int(number) for number in (*now, *then)]
    bars = [
        Bar(
            f"{rollup.edge('price', number):,.0f}",
            now.get(str(number), 0) / n if n else None,
            then.get(str(number), 0) / n_before if n_before else None,
        )
        for number in (range(min(numbers), max(numbers) + 1) if numbers else ())
    ]
    about = f"{view.currency}; {n:,} in the {view.words} ({n_before:,})"
    return Histogram("prices", "Prices that were answered", about, bars)


def windows(known: Known, view: View, page: int, address: Callable[[str], str]) -> Section:
    """Earlier windows of the same length, the newest first, a page at a time."""
    sums, length = known.sums[view.market], view.window.days
    count = max(1, -(-(view.window.end - sums.axis.first) // length)) if sums.axis.days else 0
    numbers = range(page * ROWS_PER_PAGE, min((page + 1) * ROWS_PER_PAGE, count))
    stretches = [
        Stretch(view.window.end - (n + 1) * length, view.window.end - n * length) for n in numbers
    ]
    pages = []
    if page:
        pages.append(Link("newer", address(f"page={page - 1}#windows")))
    if (page + 1) * ROWS_PER_PAGE < count:
        pages.append(Link("older", address(f"page={page + 1}#windows")))
    table = Table(
        "windows",
        "Windows",
        f"{counted(count, 'window')} of {length} days;"
        " red: prices lie to one side, or farther off than before",
        (
            Column("from", Unit.DAY),
            Column("to", Unit.DAY),
            Column("answers", Unit.COUNT),
            Column("labels", Unit.COUNT),
            Column("error", Unit.SCORE),
            Column("bias", Unit.LOG),
            Column("in interval", Unit.SHARE),
        ),
        [_window_row(sums, stretch) for stretch in stretches],
        [window_links(known, view, stretch) for stretch in stretches],
        frozenset(n for n, stretch in enumerate(stretches) if is_red(sums, stretch)),
        pages,
    )
    return Section("windows", "Earlier windows", tables=(table,))


def _window_row(sums: Sums, stretch: Stretch) -> tuple[Cell, ...]:
    found = errors(sums, stretch)
    told: tuple[Cell, ...] = (
        (0, None, None) if found is None else (found.n, found.mean_abs, found.bias)
    )
    return (
        stretch.first * DAY_MS,
        (stretch.end - 1) * DAY_MS,
        sums.sum("answer", stretch),
        *told,
        share_of(sums, "interval", stretch),
    )


def window_links(known: Known, view: View, stretch: Stretch) -> list[Link]:
    """To the sales of a window that were priced farthest off, and to its Evidently report."""
    first, last = day_of(stretch.first), day_of(stretch.end - 1)
    links = [Link("most telling", f"/telling/{view.market}?from={first}&to={last}")]
    report = reports.of_window(known.reports, view.market, first, last)
    if report is not None:
        links += [
            Link(name.removesuffix(".html"), f"/reports/{report.run}/{name}")
            for name in report.pages
        ]
    return links


def share_of(sums: Sums, group: str, stretch: Stretch) -> float | None:
    """The share of a group that holds; None: nothing is known."""
    found = figures.share(sums, group, stretch)
    return None if found is None else found.share
