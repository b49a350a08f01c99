"""`python -m monitoring month`: a month against its goals, its worst prices, its alerts."""

import argparse
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from monitoring import windows
from monitoring.archive_command import existing
from monitoring.settings import MonitoringSettings
from stream_app.contract.archive import ALL_MARKETS
from stream_app.contract.counts import counted
from stream_app.contract.markets import MARKETS
from stream_app.contract.settings import BadSettings, KafkaSettings
from stream_app.contract.spans import DAY_MS

if TYPE_CHECKING:
    from monitoring.month import Goal, Month
    from monitoring.page.figures import Stretch

WORST = 10


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    month = commands.add_parser(
        "month",
        help="a month against its goals: uptime, answers, coverage, big misses, alerts",
        description="From the archive: what was promised and what was kept, the prices that were"
        " farthest off, and what people made of each alert, so that limits can be reviewed. A month"
        " is one of the market's own time. Goals with their reasons: monitoring/goals.toml.",
        epilog="Exit status: 0; 1 a goal was missed; 2 no archive, or nothing of that month.",
    )
    month.add_argument("--market", required=True, choices=sorted(MARKETS))
    month.add_argument("--month", metavar="YYYY-MM", help="default: the newest that is over")
    month.add_argument("--dir", type=Path, help="archive folder (setting archive_dir)")
    month.add_argument("--json", action="store_true", help="print one line of JSON")
    month.set_defaults(run=_run)


class Sold(NamedTuple):
    """One sale and its answer."""

    listing_id: str
    region: str
    answered: float
    sold_for: float


def _run(given: argparse.Namespace, kafka: KafkaSettings, own: MonitoringSettings) -> int:
    from monitoring import month  # what it needs takes a second, and --help needs none
    from monitoring.page import figures
    from monitoring.page.known import Places, Reader, wall_ms

    if given.month is not None:
        month.stretch_of(given.month)  # a wrong one is told before anything is looked for
    root = existing(given.dir or Path(own.archive_dir))
    reader = Reader(Places(root, Path(own.report_dir), kafka.prefix), wall_ms)
    reader.refresh()
    known = reader.known
    sums = known.sums[given.market] if known else None
    if known is None or sums is None or sums.axis.days == 0:
        raise BadSettings(f"{given.market}: nothing of it is in the archive {root}")
    name = given.month or month.last_over(sums)
    stretch = month.stretch_of(name)
    wall = month.wall_of(sums, stretch, known.archived_ms.get(given.market, 0))
    if wall is None:
        raise BadSettings(f"{given.market}: nothing was answered in {name}; {_told(sums.axis)}")
    read = partial(_sold, root, kafka.prefix, given.market)
    far, former = read(stretch), read(figures.before(stretch, stretch.days))
    least = math.log(month.shipped().miss_factor)
    big, big_before = (sum(_distance(each) > least for each in sold) for sold in (far, former))
    alerts = [e for e in known.book.values() if e.alert.market in (given.market, ALL_MARKETS)]
    judged = month.judge(
        given.market, name, sums, wall, alerts, month.Misses(len(far), big, len(former), big_before)
    )
    worst = sorted(far, key=_distance, reverse=True)[:WORST]
    if given.json:
        rows = [each._asdict() for each in worst]
        print(msgspec.json.encode(msgspec.to_builtins(judged) | {"worst": rows}).decode())
    else:
        print("\n".join([*lines(judged), "farthest off:", *map(_worst, worst)]))
    return int(any(goal.kept is False for goal in judged.goals))


def _sold(root: Path, prefix: str, market: str, stretch: "Stretch") -> list[Sold]:
    """The sales of a stretch that were answered."""
    from monitoring import frames

    window = windows.Window(stretch.first * DAY_MS, stretch.end * DAY_MS)
    columns = ("listing_id", "region", "price", "sale_price")
    frame = frames.outcomes(root, prefix, market, window, columns)
    if frame.empty:
        return []
    known = frame[frame["price"].notna()]
    return [Sold(*row) for row in zip(*(known[name] for name in columns), strict=True)]


def _distance(sold: Sold) -> float:
    return abs(math.log(sold.answered / sold.sold_for))


def lines(judged: "Month") -> list[str]:
    """A month as a person reads it."""
    answers, sales = counted(judged.listings, "answer"), counted(judged.sales, "sale")
    head = f"{judged.market} {judged.month}: {answers}, {sales}"
    goals = [_goal(goal) for goal in judged.goals]
    review = [
        f"  {r.cause}: {r.raised} raised, {r.acknowledged} acknowledged, {r.snoozed} snoozed,"
        f" {r.ended_unasked} over before anybody took it up{_advised(r.advice)}"
        for r in judged.review
    ]
    return [head, *goals, "alerts:", *(review or ["  none"])]


def _goal(goal: "Goal") -> str:
    kept = {None: "unknown", True: "kept", False: "MISSED"}[goal.kept]
    least, most = (None if each is None else _number(goal, each) for each in goal.limits)
    wanted = " to ".join(each for each in (least, most) if each is not None)
    if not (least and most):
        wanted = f"at least {least}" if least else f"at most {most}" if most else "no goal yet"
    value = "unknown" if goal.value is None else _number(goal, goal.value)
    return f"  {kept:8} {goal.name:28} {value:>10}   {wanted}; n = {goal.n:,}"


def _number(goal: "Goal", value: float) -> str:
    return f"{value:,.0f}" if goal.counts else f"{value:.2%}"


def _advised(advice: str) -> str:
    return f"; {advice}" if advice else ""


def _worst(sold: Sold) -> str:
    off = sold.answered / sold.sold_for - 1
    return (
        f"  {off:+8.1%}  {sold.listing_id} ({sold.region}): answered {sold.answered:,.0f},"
        f" sold for {sold.sold_for:,.0f}"
    )


def _told(axis: "Stretch") -> str:
    first, last = (windows.day(day * DAY_MS) for day in (axis.first, axis.end - 1))
    return f"there are {first} to {last}"
