"""A month against its goals: what was promised, what was kept, and which limits to look at. Pure.

A month is one of the market's own time, and so are the alerts of detectors in it. What concerns
machines and people goes by the wall clock in which it was served, from its first archived row to
the next month's: a replayed month is short.
Whatever is not known is None, and neither kept nor missed.

Not here: which alerts there are (alerting/), the page between the months (page/).
"""

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from monitoring.alerting.book import Entry
from monitoring.alerting.causes import Condition
from monitoring.alerting.raising import FINDINGS
from monitoring.page import figures
from monitoring.page.figures import Share, Stretch, Sums
from monitoring.rollup import SERVED
from monitoring.windows import BadWindow
from stream_app.contract.predictions import Step
from stream_app.contract.spans import DAY_MS

# While one of these stands, answers are late or missing.
DOWN = frozenset({Condition.LAG, Condition.STALE, Condition.UNREACHABLE})
MACHINE = frozenset(Condition)
_EPOCH = date(1970, 1, 1)
OFTEN = 3  # alerts of one cause in a month, none of which anybody took up

Positive = Annotated[float, Meta(gt=0)]
Part = Annotated[float, Meta(gt=0, lt=1)]


class Goals(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits; shares are of 1. The reasons stand in goals.toml."""

    uptime_min: Part
    priced_min: Part
    full_answer_min: Part
    latency_p99_max_ms: Positive
    covered_min: Part
    covered_max: Part
    near_fall_max: Part
    miss_factor: Annotated[float, Meta(gt=1)]
    misses_rise_max: Part
    unasked_alerts_max: Annotated[int, Meta(ge=0)]


class Goal(Struct, frozen=True, kw_only=True):
    """One figure of the month."""

    name: str
    value: float | None
    n: int  # answers, sales, minutes or alerts that it is of
    limits: tuple[float | None, float | None]  # least, most
    kept: bool | None
    counts: bool = False  # else a share of 1


class Reviewed(Struct, frozen=True, kw_only=True):
    """One cause of alerts: how often it was raised, and what people made of it."""

    cause: str
    raised: int
    acknowledged: int
    snoozed: int
    ended_unasked: int  # over before anybody took it up
    advice: str


class Wall(NamedTuple):
    """The wall clock in which the month was served."""

    from_ms: int
    to_ms: int


class Misses(NamedTuple):
    """Sales by how far the answer was off, of the month and of the one before."""

    sales: int
    big: int
    sales_before: int
    big_before: int


class Month(Struct, frozen=True, kw_only=True):
    market: str
    month: str
    listings: int
    sales: int
    goals: tuple[Goal, ...]
    review: tuple[Reviewed, ...]


@cache
def shipped() -> Goals:
    """What a month is held to."""
    text = resources.files("monitoring").joinpath("goals.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Goals)


def stretch_of(text: str) -> Stretch:
    """The days of a month.

    >>> stretch_of("1970-02")
    Stretch(first=31, end=59)

    Raises
    ------
    BadWindow : no month
    """
    try:
        first = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        raise BadWindow(f"month {text!r}: YYYY-MM is wanted, as 2014-09") from None
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return Stretch((first - _EPOCH).days, (following - _EPOCH).days)


def last_over(sums: Sums) -> str:
    """The newest month that is over in the market's time."""
    end = date.fromordinal(_EPOCH.toordinal() + sums.axis.end)
    before = date.fromordinal(end.replace(day=1).toordinal() - 1)
    return f"{before:%Y-%m}"


def wall_of(sums: Sums, stretch: Stretch, archived_ms: int) -> Wall | None:
    """When the month was served; None: nothing of it was."""
    begun = [ms for day, ms in sums.appended_ms.items() if stretch.first <= day and ms is not None]
    later = [ms for day, ms in sums.appended_ms.items() if stretch.end <= day and ms is not None]
    if not begun or sums.sum("answer", stretch) == 0:
        return None
    return Wall(min(begun), min(later, default=max(archived_ms, min(begun))))


def judge(
    market: str, name: str, sums: Sums, wall: Wall | None, alerts: Sequence[Entry], misses: Misses
) -> Month:
    """Hold a month to its goals.

    Parameters
    ----------
    name : of the month, as 2014-09
    alerts : all that there are of the market, and those of no market
    misses : of its sales, and of those of as many days before
    """
    stretch, limits = stretch_of(name), shipped()
    raised = [entry for entry in alerts if _is_of(entry, stretch, wall)]
    near = figures.share(sums, "near", stretch)
    errors = figures.errors(sums, SERVED, stretch)
    goals = (
        _uptime(wall, alerts, limits),
        *_answers(sums, stretch, limits),
        _share(
            "inside the 90 % interval",
            figures.share(sums, "interval", stretch),
            (limits.covered_min, limits.covered_max),
        ),
        _share("within 10 % of the price", near, (_near_min(sums, stretch, limits), None)),
        _misses(misses, limits),
        _unasked(wall, raised, limits),
    )
    return Month(
        market=market,
        month=name,
        listings=sums.sum("answer", stretch),
        sales=0 if errors is None else errors.n,
        goals=goals,
        review=tuple(review(raised)),
    )


def _uptime(wall: Wall | None, alerts: Iterable[Entry], limits: Goals) -> Goal:
    whole_ms = 0 if wall is None else wall.to_ms - wall.from_ms
    if wall is None or whole_ms < DAY_MS:  # replayed: no time to be down in
        return _goal("uptime", None, 0, (limits.uptime_min, None))
    down_ms, reached_ms = 0, wall.from_ms
    for from_ms, to_ms in sorted(_down(alerts, wall)):
        down_ms += max(0, to_ms - max(from_ms, reached_ms))
        reached_ms = max(reached_ms, to_ms)
    return _goal("uptime", 1 - down_ms / whole_ms, whole_ms // 60_000, (limits.uptime_min, None))


def _down(alerts: Iterable[Entry], wall: Wall) -> Iterable[tuple[int, int]]:
    """When a machine was down, within the month; what stands, is down until its end."""
    for entry in alerts:
        if entry.alert.cause in DOWN:
            over_ms = wall.to_ms if entry.resolved is None else entry.resolved.resolved_ms
            from_ms, to_ms = max(entry.first_raised_ms, wall.from_ms), min(over_ms, wall.to_ms)
            if from_ms < to_ms:
                yield from_ms, to_ms


def _answers(sums: Sums, stretch: Stretch, limits: Goals) -> Iterable[Goal]:
    answers = sums.sum("answer", stretch)
    full = sum(sums.sum(f"step.{step}", stretch) for step in (Step.CHAMPION, Step.CHALLENGER))
    priced = sums.sum("listed.n", stretch)
    yield _goal("with a price", _part(priced, answers), answers, (limits.priced_min, None))
    yield _goal("by the model", _part(full, answers), answers, (limits.full_answer_min, None))
    timed = sum(sums.group("latency", stretch).values())
    p99_ms = figures.quantile(sums, "latency", stretch, 0.99)
    yield _goal("latency p99, ms", p99_ms, timed, (None, limits.latency_p99_max_ms), counts=True)


def _misses(misses: Misses, limits: Goals) -> Goal:
    former = _part(misses.big_before, misses.sales_before)
    most = None if former is None else former + limits.misses_rise_max
    return _goal("big misses", _part(misses.big, misses.sales), misses.sales, (None, most))


def _near_min(sums: Sums, stretch: Stretch, limits: Goals) -> float | None:
    """What the month before had, less what it may fall by."""
    former = figures.share(sums, "near", figures.before(stretch, stretch.days))
    return None if former is None else former.share - limits.near_fall_max


def _unasked(wall: Wall | None, raised: Iterable[Entry], limits: Goals) -> Goal:
    ended = [e for e in raised if e.alert.cause not in MACHINE and _is_unasked(e)]
    value = None if wall is None else float(len(ended))
    return _goal(
        "alerts that nobody took up",
        value,
        len(ended),
        (None, limits.unasked_alerts_max),
        counts=True,
    )


def review(raised: Iterable[Entry]) -> Iterable[Reviewed]:
    """What people made of each cause's alerts, most often raised first."""
    by_cause: dict[str, list[Entry]] = {}
    for entry in raised:
        by_cause.setdefault(entry.alert.cause, []).append(entry)
    for cause, entries in sorted(by_cause.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        unasked, times = sum(map(_is_unasked, entries)), sum(e.times for e in entries)
        yield Reviewed(
            cause=cause,
            raised=times,
            acknowledged=sum(e.acknowledged is not None for e in entries),
            snoozed=sum(e.snoozed is not None for e in entries),
            ended_unasked=unasked,
            advice=_advice(times, unasked, len(entries)),
        )


def _advice(times: int, unasked: int, entries: int) -> str:
    if times >= OFTEN and unasked == entries:
        return "nobody took any of them up: is its limit too tight?"
    return ""


def _is_unasked(entry: Entry) -> bool:
    return entry.resolved is not None and entry.acknowledged is None and entry.snoozed is None


def _is_of(entry: Entry, stretch: Stretch, wall: Wall | None) -> bool:
    if entry.alert.cause in FINDINGS:
        return stretch.first <= entry.begun_ms // DAY_MS < stretch.end
    return wall is not None and wall.from_ms <= entry.first_raised_ms < wall.to_ms


def _part(some: int, of: int) -> float | None:
    return some / of if of else None


def _share(name: str, share: Share | None, limits: tuple[float | None, float | None]) -> Goal:
    return _goal(name, share.share if share else None, share.n if share else 0, limits)


def _goal(
    name: str,
    value: float | None,
    n: int,
    limits: tuple[float | None, float | None],
    *,
    counts: bool = False,
) -> Goal:
    least, most = limits
    kept = None
    if value is not None and limits != (None, None):
        kept = (least is None or value >= least) and (most is None or value <= most)
    return Goal(name=name, value=value, n=n, limits=limits, kept=kept, counts=counts)
