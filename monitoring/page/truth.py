"""What came true of what was answered: errors, to which side, by age of the label, as charts and tables. Pure."""

from monitoring.page import figures
from monitoring.page.charts import Chart, Line
from monitoring.page.figures import Stretch, Sums
from monitoring.page.judging import errors
from monitoring.page.known import Known
from monitoring.page.sections import Section, share_of
from monitoring.page.tables import Cell, Column, Table, Unit
from monitoring.page.view import View
from monitoring.quality import ANSWER, CHAMPION, NAIVE
from monitoring.rollup import AGES, KINDS, SERVED

PROMISED = 0.9  # of the interval
AGE_WORDS = {
    "7d": "up to 7 days",
    "30d": "8 to 30 days",
    "60d": "31 to 60 days",
    "120d": "61 to 120 days",
    "older": "more",
}


def truth(known: Known, view: View) -> Section:
    """What came true: errors, to which side, whether intervals held, by age of the label."""
    sums, cuts = known.sums[view.market], view.cuts()
    kinds = ((ANSWER, "one"), (CHAMPION, "two"), (NAIVE, "three"))
    own = [Line(kind, style, [_mean(sums, kind, cut) for cut in cuts]) for kind, style in kinds]
    counts = [found.n if (found := errors(sums, cut)) else 0 for cut in cuts]
    about = f"mean |log error| by day of sale, on sales that all three answered; {view.axis_words}"
    served = Line(SERVED, "four", [_mean(sums, SERVED, cut) for cut in cuts])
    charts = (
        Chart("error", "Error", about, Unit.SCORE, cuts, (*own, served), counts=counts, least=0.0),
        Chart(
            "bias",
            "To which side",
            f"mean log price less log sale price, of the answers; above 0 is high; {view.axis_words}",
            Unit.LOG,
            cuts,
            (Line("bias", "one", [_bias(sums, cut) for cut in cuts]),),
            goal=0.0,
            counts=counts,
        ),
        Chart(
            "coverage",
            "Sales inside the 90 % interval",
            view.axis_words,
            Unit.SHARE,
            cuts,
            (Line("inside", "one", [share_of(sums, "interval", cut) for cut in cuts]),),
            goal=PROMISED,
            counts=[sums.sum("interval.n", cut) for cut in cuts],
        ),
    )
    return Section(
        "truth",
        "Truth",
        charts,
        tables=(_kinds(sums, view), _shares(sums, view), _ages(sums, view), _labels(sums, view)),
    )


def _mean(sums: Sums, kind: str, stretch: Stretch) -> float | None:
    found = figures.errors(sums, kind, stretch)
    return None if found is None else found.mean_abs


def _bias(sums: Sums, stretch: Stretch) -> float | None:
    found = errors(sums, stretch)
    return None if found is None else found.bias


ERROR_COLUMNS = (
    Column("n", Unit.COUNT),
    Column("mean |log error|", Unit.SCORE),
    Column("bias", Unit.LOG),
    Column("n before", Unit.COUNT),
    Column("before", Unit.SCORE),
    Column("bias before", Unit.LOG),
)


def _kinds(sums: Sums, view: View) -> Table:
    rows = [(kind, *_both(sums, view, kind, None)) for kind in KINDS]
    about = (
        f"served: all sales; answer, champion, naive: sales that all three answered; {view.words}"
    )
    return Table("errors", "Errors", about, (Column("price"), *ERROR_COLUMNS), rows)


def _shares(sums: Sums, view: View) -> Table:
    rows = []
    for group, words in (("interval", "inside the 90 % interval"), ("near", "within 10 %")):
        now, then = (figures.share(sums, group, each) for each in (view.window, view.baseline))
        told = [(0, None) if each is None else (each.n, each.share) for each in (now, then)]
        rows.append((words, *told[0], *told[1]))
    columns = (
        Column("sales"),
        Column("n", Unit.COUNT),
        Column("share", Unit.SHARE),
        Column("n before", Unit.COUNT),
        Column("before", Unit.SHARE),
    )
    return Table("shares", "How many were near", view.words, columns, rows)


def _both(sums: Sums, view: View, kind: str, age: str | None) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for stretch in (view.window, view.baseline):
        found = figures.errors(sums, kind, stretch, age)
        cells += [0, None, None] if found is None else [found.n, found.mean_abs, found.bias]
    return tuple(cells)


def _ages(sums: Sums, view: View) -> Table:
    rows = [(AGE_WORDS[age], *_both(sums, view, SERVED, age)) for age in AGES]
    weighted = figures.weighted_error(sums, SERVED, view.window)
    told = "unknown" if weighted is None else f"{weighted:.3f}"
    about = (
        f"days from listing to sale; fast sellers are not all homes: with the usual shares of ages"
        f" the window's error is {told}; {view.words}"
    )
    return Table("ages", "By age of the label", about, (Column("sold after"), *ERROR_COLUMNS), rows)


def _labels(sums: Sums, view: View) -> Table:
    rows = []
    for words, stretch in (("window", view.window), ("baseline", view.baseline)):
        listed, labelled = (sums.sum(f"{name}.n", stretch) for name in ("listed", "labelled"))
        means = [figures.mean_log(sums, name, stretch) for name in ("listed", "labelled")]
        apart = None if None in means else means[1] - means[0]  # type: ignore[operator]
        rows.append((words, listed, labelled, labelled / listed if listed else None, apart))
    columns = (
        Column("homes listed in"),
        Column("priced", Unit.COUNT),
        Column("sold so far", Unit.COUNT),
        Column("share", Unit.SHARE),
        Column("sold ones dearer by", Unit.LOG),
    )
    about = f"whether those sold so far are like all; log units; {view.words}"
    return Table("labels", "Labels so far", about, columns, rows)
