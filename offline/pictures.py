"""Pictures for a page: drawn by matplotlib, without a screen, as SVG in text.

Each has a title, units on its axes and the number of rows behind it. Colours keep
their difference for the colour-blind (Okabe and Ito; cividis; PuOr). Names that
came with the events are drawn as they are: no `$` starts a formula.
"""

import base64
import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
WIDTH_IN = 4.2  # 11-pixel letters on a telephone
HEIGHT_IN = 2.9
ROW_IN = 0.19  # of a picture that has a line per name
LINES_MAX = 40  # of named lines in a picture
POINTS_MAX = 20_000  # more are only a blot, and take their time
_ROUND = [times * 10.0**power for power in range(9) for times in (1, 2, 3, 5, 7)]
_STYLE = {
    "svg.fonttype": "none",  # letters stay letters
    "svg.hashsalt": "housing",  # and the same data the same bytes
    "text.parse_math": False,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8,
}

Floats = NDArray[np.float64]


class Picture(NamedTuple):
    """An image that stands in the page itself."""

    address: str  # data:image/svg+xml;base64,...
    alt: str
    wide: bool = False  # not to be made narrower than it can be read: the page scrolls it


class Groups(NamedTuple):
    """Values of one thing after the other: regions, months."""

    names: Sequence[str]
    middle: Floats
    low: Floats
    high: Floats
    rows: NDArray[np.int64]


def draw(
    fill: Callable[[Axes], None],
    title: str,
    rows: int,
    width_in: float = WIDTH_IN,
    height_in: float = HEIGHT_IN,
    wide: bool = False,
    below: Callable[[Axes], None] | None = None,
) -> Picture:
    """Axes filled by `fill`, with title and `n`; `below` fills lower ones of the same x."""
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]  # the stubs want literal keys
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        if below is None:
            axes = figure.add_subplot()
        else:
            axes, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
            below(lower)
        fill(axes)
        axes.set_title(f"{title} (n = {rows:,})")
        made = io.BytesIO()
        figure.savefig(made, format="svg", dpi=150, metadata={"Date": None})
    text = base64.b64encode(made.getvalue()).decode()
    return Picture(f"data:image/svg+xml;base64,{text}", f"{title}, n = {rows:,}", wide)


def histogram(values: Floats, title: str, unit: str, bins: int = 50) -> Picture:
    """Counts of the inner 99 %, with the median."""
    known = values[~np.isnan(values)]

    def fill(axes: Axes) -> None:
        if not known.size:
            return
        low, high = np.quantile(known, (0.005, 0.995))
        axes.hist(np.clip(known, low, high), bins=bins, color=BLUE)
        median = float(np.median(known))
        axes.axvline(median, color=ORANGE, label=f"median {short(median)}")
        axes.xaxis.set_major_formatter(_ticks(short))
        axes.set(xlabel=f"{unit}\n(the outer 0.5 % are in the last bars)", ylabel="homes")
        # A fixed place, away from most rows: matplotlib's own search warns by the clock.
        axes.legend(loc="upper right" if median - low < high - median else "upper left")

    return draw(fill, title, known.size)


def line_of_groups(groups: Groups, title: str, unit: str, shade: str) -> Picture:
    """The middle as a line, low to high as a band, and below how many rows each has."""
    places = np.arange(len(groups.names))

    def fill(axes: Axes) -> None:
        axes.fill_between(places, groups.low, groups.high, color=BLUE, alpha=0.2, label=shade)
        axes.plot(places, groups.middle, "o-", color=BLUE, markersize=3, label="median")
        axes.set_ylabel(unit)
        axes.yaxis.set_major_formatter(_ticks(short))
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.3 * (high - low))  # room for the legend
        axes.legend(loc="upper left", ncols=2)

    def below(axes: Axes) -> None:
        axes.bar(places, groups.rows, color=GREY)
        axes.set_ylabel("homes")
        _name_some(axes, groups.names)

    rows = int(groups.rows.sum())
    return draw(fill, title, rows, height_in=HEIGHT_IN * 1.2, below=below)


def dots_of_groups(groups: Groups, title: str, unit: str, shade: str) -> list[Picture]:
    """A line per name, in the order given from the top; many names fill several pictures."""
    margin = 0.03 * (groups.high.max() - groups.low.min())
    limits = groups.low.min() - margin, groups.high.max() + margin

    def fill(axes: Axes, part: slice, places: NDArray[np.int64]) -> None:
        low, high = groups.low[part], groups.high[part]
        axes.hlines(places, low, high, color=BLUE, alpha=0.35, lw=4, label=shade)
        axes.plot(groups.middle[part], places, "o", color=ORANGE, markersize=4, label="median")
        axes.set_xlim(limits)
        axes.xaxis.set_major_formatter(_ticks(short))
        axes.set_xlabel(unit)
        axes.legend(loc="lower right")

    return _named_lines(groups.names, groups.rows, title, fill)


def bars_of_groups(
    names: Sequence[str],
    values: Floats,
    rows: NDArray[np.int64],
    title: str,
    unit: str,
    same_rows: bool = False,
) -> list[Picture]:
    """A bar from 0 per name, in the order given from the top.

    `same_rows`: each bar is of the same homes, so that their numbers do not add up.
    """
    limits = values.min(initial=0.0), values.max(initial=1e-9) * 1.05

    def fill(axes: Axes, part: slice, places: NDArray[np.int64]) -> None:
        axes.barh(places, values[part], color=BLUE, height=0.6)
        axes.set_xlim(limits)
        axes.set_xlabel(unit)

    return _named_lines(names, rows, title, fill, same_rows)


def _named_lines(
    names: Sequence[str],
    rows: NDArray[np.int64],
    title: str,
    fill: Callable[[Axes, slice, NDArray[np.int64]], None],
    same_rows: bool = False,
) -> list[Picture]:
    count = -(-len(names) // LINES_MAX)
    per_picture = -(-len(names) // max(count, 1))
    made = []
    for number in range(count):
        part = slice(number * per_picture, (number + 1) * per_picture)
        shown, counts = names[part], rows[part]
        places = np.arange(len(shown))[::-1]

        def lines(
            axes: Axes,
            part: slice = part,
            places: NDArray[np.int64] = places,
            shown: Sequence[str] = shown,
            counts: NDArray[np.int64] = counts,
        ) -> None:
            fill(axes, part, places)
            labels = [
                name if same_rows else f"{name} ({n:,})"
                for name, n in zip(shown, counts, strict=True)
            ]
            axes.set_yticks(places, labels, fontsize=8)
            axes.set_ylim(-0.8, len(places) - 0.2)

        which = f", {number + 1} of {count}" if count > 1 else ""
        height_in = 1.1 + ROW_IN * len(shown)
        total = int(counts.max() if same_rows else counts.sum())
        made.append(draw(lines, title + which, total, height_in=height_in))
    return made


def heat(
    values: Floats, rows: Sequence[str], columns: Sequence[str], title: str, count: int
) -> Picture:
    """Shares from 0 to 1, dark is much; each cell says its figure."""
    width_in = 2.6 + 0.42 * len(columns)

    def fill(axes: Axes) -> None:
        axes.imshow(values, cmap="cividis_r", vmin=0, vmax=1, aspect="auto")
        _label_cells(axes, rows, columns)
        for (y, x), value in np.ndenumerate(values):
            text = "–" if np.isnan(value) else f"{value:.0%}"
            colour = "white" if value > 0.5 else "black"
            axes.text(x, y, text, ha="center", va="center", fontsize=7, color=colour)

    height_in = 1.0 + ROW_IN * len(rows)
    return draw(fill, title, count, max(WIDTH_IN, width_in), height_in, wide=len(columns) > 6)


def correlations(
    values: Floats, names: Sequence[str], marked_from: float, title: str, count: int
) -> Picture:
    """Correlations from -1 to 1; those beyond `marked_from` carry a dot."""
    side_in = 2.2 + ROW_IN * len(names)

    def fill(axes: Axes) -> None:
        image = axes.imshow(values, cmap="PuOr", vmin=-1, vmax=1)
        _label_cells(axes, names, names)
        axes.tick_params(axis="x", labelrotation=90)
        apart = ~np.eye(len(names), dtype=np.bool_)
        y, x = np.nonzero((np.abs(np.nan_to_num(values)) > marked_from) & apart)
        axes.plot(x, y, "o", color="white", markeredgecolor="black", markersize=3, lw=0)
        axes.figure.colorbar(image, ax=axes, shrink=0.6, label="Pearson's r")

    return draw(fill, title, count, side_in + 0.8, side_in, wide=True)


def map_of(longitude: Floats, latitude: Floats, values: Floats, title: str, unit: str) -> Picture:
    """Each home where it stands, coloured by its value; the outer 1 % take the end colours."""
    chosen = some(len(values))

    def fill(axes: Axes) -> None:
        low, high = np.quantile(values, (0.01, 0.99))
        points = axes.scatter(
            longitude[chosen],
            latitude[chosen],
            c=values[chosen],
            cmap="cividis",
            vmin=low,
            vmax=high,
            s=2,
            linewidths=0,
            rasterized=True,
        )
        axes.set_aspect(1 / np.cos(np.radians(np.median(latitude))))
        axes.set(xlabel="degrees east", ylabel="degrees north")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.figure.colorbar(points, ax=axes, shrink=0.8, label=unit, format=_ticks(short))

    return draw(fill, title, len(values), height_in=HEIGHT_IN * 1.2)


def cloud(
    x: Floats,
    y: Floats,
    title: str,
    x_unit: str,
    y_unit: str,
    told: Callable[[float], str] | None = None,
) -> Picture:
    """Points, and the medians and quartiles of twenty groups of equal size along `x`.

    `told` puts x into words; without it x is positive, and its axis logarithmic.
    """
    chosen = some(len(x))

    def fill(axes: Axes) -> None:
        axes.scatter(x[chosen], y[chosen], s=2, color=GREY, alpha=0.3, lw=0, rasterized=True)
        groups = np.array_split(np.argsort(x), min(20, max(1, len(x) // 10)))
        middle = [np.median(x[g]) for g in groups]
        quartiles = np.array([np.quantile(y[g], (0.25, 0.5, 0.75)) for g in groups])
        axes.fill_between(
            middle, quartiles[:, 0], quartiles[:, 2], color=BLUE, alpha=0.3, label="middle half"
        )
        axes.plot(middle, quartiles[:, 1], color=ORANGE, label="median")
        axes.axhline(0, color="black", lw=0.8)
        axes.set(xlabel=x_unit, ylabel=y_unit, ylim=np.quantile(y, (0.002, 0.998)))
        if told is None:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(FixedLocator(_ROUND))
            axes.xaxis.set_minor_locator(NullLocator())
        else:
            axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(_ticks(told or short))
        axes.set_xlim(*np.quantile(x, (0.002, 0.998)))
        axes.legend(loc="upper right")

    return draw(fill, title, len(x))


def some(rows: int) -> NDArray[np.int64]:
    """At most `POINTS_MAX` places, evenly spread."""
    return np.arange(0, rows, max(1, -(-rows // POINTS_MAX)))


def short(value: float) -> str:
    """A figure in few letters.

    >>> short(1_250_000), short(430_000), short(2_345), short(0.25)
    ('1.25M', '430k', '2345', '0.25')
    """
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= 10 * unit or (name == "M" and abs(value) >= unit):
            return f"{value / unit:.3g}{name}"
    return f"{value:.4g}"


def _ticks(told: Callable[[float], str]) -> FuncFormatter:
    return FuncFormatter(lambda value, place: told(value))


def _name_some(axes: Axes, names: Sequence[str]) -> None:
    every = max(1, -(-len(names) // 5))
    axes.set_xticks(range(0, len(names), every), list(names)[::every])


def _label_cells(axes: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    axes.set_xticks(range(len(columns)), list(columns), fontsize=8)
    axes.set_yticks(range(len(rows)), list(rows), fontsize=8)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
