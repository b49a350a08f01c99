"""How good the detectors and the policy are: on quiet streams, and on drifts that were planted. Pure.

A quiet stream is drawn from real sales by blocks of days, so that what hangs together within
a week stays together, and no drift of the real year is left in it. Into a copy a drift is planted
after two months. Told are power, delay in labels, and false alarms per 30 quiet days, of
each detector and beside two that anybody could have: one that always alarms, and plain
Kolmogorov-Smirnov at p < 0.05.

Not here: mistakes in events (report_card_events.py), real months in their order
(report_card_real.py).
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace
from scipy.stats import ks_2samp

from monitoring import history, policy
from monitoring.criteria import Criteria, shipped
from monitoring.detectors.error import ErrorWatch
from monitoring.detectors.finding import Finding, Labelled
from monitoring.detectors.level import LevelWatch
from monitoring.history import History
from monitoring.policy import Evidence, Now
from stream_app.contract.alerts import Decision, NextStep, Trigger
from stream_app.contract.spans import DAY_MS

BLOCK_DAYS = 7
QUIET_DAYS = 60  # before a plant; the detectors' warm-up is in it
PLANTED_DAYS = 30
YEAR_DAYS = 365.25
KS_DAYS = 7
RARE = 4  # the kind of home that moves alone: HDB's fourth is a twelfth of its sales
KS_PAST = 30 * 60  # labels, about a month


class Alarm(Protocol):
    """Anything that may alarm at a label."""

    def update(self, row: Labelled) -> object: ...


class AlwaysAlarm:
    """Finds everything at once."""

    def update(self, _row: Labelled) -> bool:
        return True


class KsAlarm:
    """Each week's errors against those of the month before, p < 0.05."""

    def __init__(self) -> None:
        self._week: list[float] = []
        self._past: list[float] = []
        self._since_ms: int | None = None

    def update(self, row: Labelled) -> bool:
        self._since_ms = row.sold_ms if self._since_ms is None else self._since_ms
        self._week.append(row.error_log)
        if row.sold_ms - self._since_ms < KS_DAYS * DAY_MS:
            return False
        week, past = self._week, self._past
        self._week, self._since_ms = [], row.sold_ms
        self._past = (past + week)[-KS_PAST:]
        return bool(past) and ks_2samp(week, past).pvalue < 0.05


class PolicyAlarm:
    """The detectors and the policy on what they find, once a day; offline says that nothing helps."""

    def __init__(self, criteria: Criteria) -> None:
        self._watches = (LevelWatch(), ErrorWatch())
        self._criteria = criteria
        self._findings: list[Finding] = []
        self._history = History()
        self._day = 0

    def update(self, row: Labelled) -> bool:
        self._findings += [each for watch in self._watches for each in watch.update(row)]
        if row.sold_ms // DAY_MS == self._day:
            return False
        self._day = row.sold_ms // DAY_MS
        decided = self._decide(row)
        if decided.next_step is not NextStep.PREFLIGHT:
            return False
        ended = replace(decided, next_step=NextStep.CALL_PERSON)
        self._history, self._findings = history.after(self._history, ended), []
        return True

    def _decide(self, row: Labelled) -> Decision:
        known = replace(  # the schedule is no alarm
            self._history,
            decided_ms={**self._history.decided_ms, Trigger.SCHEDULE: row.sold_ms},
        )
        evidence = Evidence(market=row.market, findings=tuple(self._findings))
        return policy.decide(evidence, known, Now(row.sold_ms, row.sold_ms), self._criteria)


ALARMS: Mapping[str, Callable[[], Alarm]] = {
    "price level": LevelWatch,
    "error": ErrorWatch,
    "policy": lambda: PolicyAlarm(shipped()),
    "always alarm": AlwaysAlarm,
    "KS p < 0.05": KsAlarm,
}

# Of a row and the days since it began; None: the row is lost.
Plant = Callable[[Labelled, float], Labelled | None]


def _moved(row: Labelled, by_log: float) -> Labelled:
    return replace(row, error_log=row.error_log + by_log)


def plants(region: str, kind: str) -> Mapping[str, Plant]:
    """The drifts of the card; `region` and `kind` of home are what moves alone."""
    return {
        "shock +10 %": lambda row, _: _moved(row, math.log(1.1)),
        "shock -10 %": lambda row, _: _moved(row, math.log(0.9)),
        "trend 5 % a month": lambda row, days: _moved(row, math.log(1.05) * days / 30),
        "season of 5 %": lambda row, days: _moved(
            row, math.log(1.05) * math.sin(2 * math.pi * days / YEAR_DAYS)
        ),
        "errors 1.5 times": lambda row, _: replace(row, error_log=row.error_log * 1.5),
        "variance doubled in three weeks": lambda row, days: replace(
            row, error_log=row.error_log * math.sqrt(1 + min(days / 21, 1))
        ),
        f"region {region} +20 %": lambda row, _: (
            _moved(row, math.log(1.2)) if row.region == region else row
        ),
        f"{kind}: -8 % in three weeks": lambda row, days: (
            _moved(row, math.log(0.92) * min(days / 21, 1)) if row.property_type == kind else row
        ),
    }


class Quiet(Struct, frozen=True):
    """What an alarm did while nothing happened."""

    alarm: str
    days: int
    false_alarms: int

    @property
    def per_30_days(self) -> float:
        return self.false_alarms * 30 / self.days


class Power(Struct, frozen=True):
    """What an alarm did about a plant, over several streams."""

    alarm: str
    plant: str
    streams: int
    found: int
    delay_median: float | None  # labels after the plant (of a unit: events of the publisher)
    delay_most: int | None


def by_day(rows: Iterable[Labelled]) -> list[list[Labelled]]:
    """Part sales by their day, days in order."""
    days: dict[int, list[Labelled]] = {}
    for row in sorted(rows, key=lambda row: row.sold_ms):
        days.setdefault(row.sold_ms // DAY_MS, []).append(row)
    return [days[day] for day in sorted(days)]


def drawn(days: Sequence[Sequence[Labelled]], length: int, seed: int) -> Iterator[Labelled]:
    """A quiet stream of `length` days, from day 0 on."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    for start in range(0, length, BLOCK_DAYS):
        first = draw.randrange(len(days) - BLOCK_DAYS + 1)
        for offset, day in enumerate(days[first : first + BLOCK_DAYS]):
            for row in day:
                yield replace(row, sold_ms=(start + offset) * DAY_MS + row.sold_ms % DAY_MS)


def quiet(days: Sequence[Sequence[Labelled]], streams: int, seed: int) -> list[Quiet]:
    """Count false alarms on streams of four months."""
    return [quiet_of(name, make, days, streams, seed) for name, make in ALARMS.items()]


def quiet_of(
    name: str,
    make: Callable[[], Alarm],
    days: Sequence[Sequence[Labelled]],
    streams: int,
    seed: int,
) -> Quiet:
    """Count those of one alarm."""
    length = 2 * QUIET_DAYS
    rung = sum(_alarms(days, make, length, seed + n) for n in range(streams))
    return Quiet(name, streams * length, rung)


def power(days: Sequence[Sequence[Labelled]], streams: int, seed: int) -> list[Power]:
    """Measure each alarm on each plant."""
    regions = Counter(row.region for day in days for row in day)
    kinds = Counter(row.property_type for day in days for row in day)
    busiest, rare = _commonest(regions)[0], _commonest(kinds)[:RARE][-1]
    return [
        measured(name, make, plant, act, days, streams, seed)
        for plant, act in plants(busiest, rare).items()
        for name, make in ALARMS.items()
    ]


def _commonest(counts: Counter[str]) -> list[str]:
    return sorted(counts, key=lambda name: (-counts[name], name))


def measured(
    name: str,
    make: Callable[[], Alarm],
    plant: str,
    act: Plant,
    days: Sequence[Sequence[Labelled]],
    streams: int,
    seed: int,
) -> Power:
    """Measure one alarm on one plant."""
    return power_of(name, plant, [_delay(days, make, act, seed + n) for n in range(streams)])


def _alarms(
    days: Sequence[Sequence[Labelled]], make: Callable[[], Alarm], length: int, seed: int
) -> int:
    alarm = make()
    return sum(bool(alarm.update(row)) for row in drawn(days, length, seed))


def _delay(
    days: Sequence[Sequence[Labelled]], make: Callable[[], Alarm], plant: Plant, seed: int
) -> int | None:
    """Labels from the plant to the first alarm after it; None: not within a month."""
    alarm, labels = make(), 0
    for row in drawn(days, QUIET_DAYS + PLANTED_DAYS, seed):
        since_days = row.sold_ms / DAY_MS - QUIET_DAYS
        if since_days < 0:
            alarm.update(row)
            continue
        planted = plant(row, since_days)
        labels += planted is not None
        if planted is not None and alarm.update(planted):
            return labels
    return None


def power_of(alarm: str, plant: str, delays: Sequence[int | None]) -> Power:
    """Sum up what an alarm did about a plant: a delay for each stream; None: it did not tell."""
    found = [delay for delay in delays if delay is not None]
    return Power(
        alarm,
        plant,
        len(delays),
        len(found),
        median(found) if found else None,
        max(found, default=None),
    )
