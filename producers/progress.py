"""How far a replay is: a live bar on a terminal, a plain line now and then elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

PLAIN_EVERY_S = 5.0


class _Rate(ProgressColumn):
    """Events a second, over the last moments."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("-" if speed is None else f"{speed:,.0f} events/s")


@contextmanager
def shown(total: int, resumed_at: int) -> Iterator[Callable[[int], None]]:
    """Give a function that shows the position reached. Writes to standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield plain_lines(total, resumed_at, monotonic, lambda line: print(line, file=sys.stderr))
        return
    columns = (
        TextColumn("[bold]replay"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=console) as progress:
        # The total comes first: rich takes the speed from what is advanced afterwards.
        task = progress.add_task("replay", total=total, completed=resumed_at)
        yield lambda position: progress.update(task, completed=position)


def plain_lines(
    total: int, resumed_at: int, clock_s: Callable[[], float], write: Callable[[str], None]
) -> Callable[[int], None]:
    """Give a function that writes a line at most every few seconds, and at the end."""
    began_s = told_s = clock_s()

    def show(position: int) -> None:
        nonlocal told_s
        now_s = clock_s()
        if position < total and now_s - told_s < PLAIN_EVERY_S:
            return
        told_s = now_s
        per_s = (position - resumed_at) / max(now_s - began_s, 1e-9)
        left = f"{(total - position) / per_s:,.0f} s left" if per_s else "no event yet"
        write(f"replay {position:,} of {total:,}, {per_s:,.0f} events/s, {left}")

    return show
