"""What a person sees: a live table in a terminal, plain lines anywhere else."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from demo.summary import Summary
from demo.watch import View
from stream_app.contract.markets import MARKETS
from stream_app.contract.predictions import Prediction

TERMINAL_EVERY_S = 0.25
PLAIN_EVERY_S = 5.0
UNKNOWN = "–"


class Screen(Protocol):
    def step(self, title: str) -> None:
        """A new step begins."""

    def say(self, line: str) -> None: ...

    def show(self, view: Callable[[], View]) -> None:
        """Show how it goes now; cheap to call often."""

    def tick(self, what: str) -> None:
        """Show that `what` goes on, and since when; cheap to call often."""

    def settle(self) -> None:
        """What was shown last stays; what follows comes below it."""


def screen_for(console: Console) -> Screen:
    """The screen that suits where the output goes."""
    return Terminal(console) if console.is_terminal else Plain(console)


class Steps:
    """Numbers the steps and says how long the run has taken."""

    def __init__(self, console: Console, every_s: float) -> None:
        self._console = console
        self._every_s = every_s
        self._started_s = time.monotonic()
        self._shown_s = -every_s
        self._step_s = self._started_s
        self._number = 0

    def step(self, title: str) -> None:
        self._number += 1
        self._step_s = time.monotonic()
        at_s = self._step_s - self._started_s
        self._console.print(f"[bold]{self._number}. {title}[/] [dim]({at_s:.0f} s)[/]")

    def say(self, line: str) -> None:
        self._console.print(f"   {line}", highlight=False)

    def going_on(self, what: str) -> str:
        return f"{what}, {time.monotonic() - self._step_s:.0f} s"

    def is_due(self) -> bool:
        now_s = time.monotonic()
        if now_s - self._shown_s < self._every_s:
            return False
        self._shown_s = now_s
        return True


class Terminal(Steps):
    """A table that is drawn anew in place."""

    def __init__(self, console: Console) -> None:
        super().__init__(console, TERMINAL_EVERY_S)
        self._live: Live | None = None

    def show(self, view: Callable[[], View]) -> None:
        if self.is_due():
            self._draw(live_table(view()))

    def tick(self, what: str) -> None:
        if self.is_due():
            self._draw(Text(f"   {self.going_on(what)}"))

    def _draw(self, drawn: RenderableType) -> None:
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        self._live.update(drawn, refresh=True)

    def settle(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


class Plain(Steps):
    """A line now and then, for logs; none when nothing is new."""

    def __init__(self, console: Console) -> None:
        super().__init__(console, PLAIN_EVERY_S)
        self._said = ""

    def show(self, view: Callable[[], View]) -> None:
        if not self.is_due():
            return
        seen = view()
        line = plain_line(seen)
        if seen.totals.events and line != self._said:
            self.say(line)
            self._said = line

    def tick(self, what: str) -> None:
        if self.is_due():
            self.say(self.going_on(what))

    def settle(self) -> None:
        """Nothing to do: lines stay where they are."""


def plain_line(view: View) -> str:
    """One line of figures; quality and latency as soon as a champion's answers are sold."""
    totals, now = view.totals, view.rolling
    flow = (
        f"{totals.events:,} events, {totals.predictions:,} predictions, "
        f"{totals.outcomes:,} sales joined, {number(view.lag)} events waiting"
    )
    if not now.rows:
        return flow
    return (
        f"{flow} | MAE regional median {number(now.mae_naive)}, champion {number(now.mae_champion)}, "
        f"answer {number(now.mae_answer)} | p50 {number(view.p50_ms)} ms, "
        f"p99 {number(view.p99_ms)} ms | corrector {view.corrector or UNKNOWN}"
    )


def live_table(view: View) -> Table:
    """All that is known at the moment, and the newest predictions."""
    grid = Table.grid(padding=(0, 3))
    grid.add_row(_flow(view), _quality(view))
    whole = Table.grid()
    whole.add_row(grid)
    for prediction in view.samples:
        whole.add_row(Text(f"   {sample_line(prediction)}", style="dim"))
    return whole


def _flow(view: View) -> Table:
    totals = view.totals
    return _pairs(
        "flow",
        [
            ("events", number(totals.events)),
            ("predictions", number(totals.predictions)),
            ("outcomes (sales joined)", number(totals.outcomes)),
            ("rejects", number(totals.rejects)),
            ("not yet applied", number(view.lag)),
            ("latency p50 / p99", f"{number(view.p50_ms)} / {number(view.p99_ms)} ms"),
        ],
    )


def _quality(view: View) -> Table:
    now = view.rolling
    table = Table(title=f"newest {now.rows:,} sales", title_justify="left")
    for heading in ("", "regional median", "champion", "answer"):
        table.add_column(heading, justify="right")
    maes = (now.mae_naive, now.mae_champion, now.mae_answer)
    shares = (now.mdape_naive, now.mdape_champion, now.mdape_answer)
    table.add_row("mean error", *(number(value) for value in maes))
    table.add_row("median error", *(percent(value) for value in shares))
    table.add_row("in the 90 % interval", "", "", percent(now.coverage_90))
    table.add_row("version", "", view.champion or UNKNOWN, view.corrector or UNKNOWN)
    return table


def _pairs(title: str, rows: Sequence[tuple[str, str]]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right", min_width=12)
    for name, value in rows:
        table.add_row(name, value)
    return table


def sample_line(prediction: Prediction) -> str:
    """One prediction in words. Ids come from publishers: nothing in them commands a terminal."""
    interval = f"{number(prediction.price_low)} to {number(prediction.price_high)}"
    line = (
        f"{prediction.listing_id} in {prediction.region}: {prediction.currency} "
        f"{number(prediction.price)} ({interval}), {prediction.quality}"
    )
    return "".join(c if c.isprintable() else "?" for c in line)


def summary_table(summary: Summary) -> Table:
    """What the run came to, as a person reads it."""
    currency = MARKETS[summary.market].currency
    table = Table(title=f"{summary.market}, {summary.judged:,} sales judged", title_justify="left")
    for heading in ("", "regional median", "champion", "answer"):
        table.add_column(heading, justify="right")
    table.add_row(
        f"mean error, {currency}",
        number(summary.mae_naive),
        number(summary.mae_champion),
        number(summary.mae_answer),
    )
    table.add_row(
        "median error",
        percent(summary.mdape_naive),
        percent(summary.mdape_champion),
        percent(summary.mdape_answer),
    )
    table.add_row("bias", "", "", percent(summary.bias_answer))
    table.add_row("in the 90 % interval", "", "", percent(summary.coverage_90))
    return table


def number(value: float | None) -> str:
    """A whole number, thousands parted.

    >>> number(1234.6), number(None)
    ('1,235', '–')
    """
    return UNKNOWN if value is None else f"{value:,.0f}"


def percent(value: float | None) -> str:
    """A fraction as per cent.

    >>> percent(-0.0234), percent(None)
    ('-2.3 %', '–')
    """
    return UNKNOWN if value is None else f"{100 * value:.1f} %"
