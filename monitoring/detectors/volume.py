"""Far fewer, or far more, listings or sales than usual for the season: by market and publisher.

Idea. An event counts on its day; one that comes when its day has been judged, on the day of the
market on which it came: who tells of a sale a month later tells of it today. The newest two weeks are
held against twice the median week of the eight before, and against that times what the same
weeks of the year before made of theirs, if they are known. Half or double of *both*, and beyond
chance, is no season and no holiday. Nothing here says whether a model fits: who decides about
retraining does not look.

A feed that begins grows for months, since homes that were listed before it are never told of: more
than usual is told only where the year before is known.

A market takes its publishers along. A publisher that has stopped for good is forgotten: in five
weeks its median week is empty. A market that stops altogether has no days any more, and only the
wall clock can tell (the ops page does, by what was archived last).
"""

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from statistics import median

from msgspec.structs import replace

from monitoring.detectors.clock import Clock
from monitoring.detectors.finding import Cause, Event, Finding
from stream_app.contract.spans import DAY_MS

KINDS = ("listing", "sale")
WEEK = 7
NEWEST = 2 * WEEK  # days: one holiday empties a week of HDB by half
PAST_WEEKS = 8  # a season moves a market by less
PAST_WEEKS_MIN = 4
YEAR = 52 * WEEK  # days, so that weekdays fall on weekdays
# King County's January has 0.54 of what came before Christmas; April 2020 had 0.25 of HDB's March.
FACTOR = 2.0
CHANCE = 2.0  # standard deviations of a count beyond that: a small publisher's half wobbles
# An event that comes so late still counts on its day, which is judged then: partitions of a fast
# replay are read a day or two apart.
LATE_DAYS = 3
USUAL_MIN = 50.0  # in two weeks; of fewer, half is no news
DAYS_KEPT = YEAR + NEWEST + PAST_WEEKS * WEEK
SERIES_MAX = 2_000  # publishers times kinds, 4 kB each
EPISODES_KEPT = 20


@dataclass
class Episode:
    """One time that it was off."""

    finding: Finding
    ended_ms: int | None = None  # None: it still is


@dataclass
class Series:
    """The days of one kind of event, of a market or a publisher."""

    segment: str
    days: deque[int] = field(default_factory=lambda: deque(maxlen=DAYS_KEPT))  # the newest first
    episodes: deque[Episode] = field(default_factory=lambda: deque(maxlen=EPISODES_KEPT))

    def usual(self) -> tuple[float, float] | None:
        """The least and the most that is usual in two weeks; None: not known yet."""
        recent = _usual(self.days, 0)
        if recent is None or recent < USUAL_MIN:
            return None
        before = _usual(self.days, YEAR)
        if not before:
            return recent, math.inf
        seasonal = recent * _newest(self.days, YEAR) / before
        return min(recent, seasonal), max(recent, seasonal)

    def off_by(self) -> tuple[int, float] | None:
        """How many came in two weeks and what was usual, if they are far apart."""
        usual = self.usual()
        if usual is None:
            return None
        (least, most), came = usual, _newest(self.days, 0)
        if came < least / FACTOR - CHANCE * math.sqrt(least / FACTOR):
            return came, least
        is_more = came > most * FACTOR + CHANCE * math.sqrt(most * FACTOR)
        return (came, most) if is_more else None


class VolumeWatch:
    """All publishers of one market."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._judged = 0  # the last day that was
        # By day that is open; publisher ("": all) and kind.
        self._open: defaultdict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
        self._series: dict[tuple[str, str], Series] = {}

    def update(self, event: Event) -> list[Finding]:
        """Take in one event; tell what is off since the day that is judged with it."""
        self._clock.reach(event.at_ms)
        today = self._clock.time_ms // DAY_MS
        found = self._judge(event.market, today - LATE_DAYS)
        kind, day = event.fields.get("kind"), event.at_ms // DAY_MS
        if kind in KINDS:
            counted_on = day if self._judged < day <= today else today
            self._open[counted_on].update([("", str(kind)), (event.publisher, str(kind))])
        return found

    def standing(self, at_ms: int) -> list[Finding]:
        """What is off at a time; publishers only where their market is not."""
        found = {
            key: episode.finding
            for key, series in self._series.items()
            for episode in series.episodes
            if episode.finding.seen_ms <= at_ms
            and (episode.ended_ms is None or at_ms < episode.ended_ms)
        }
        return [each for (who, kind), each in found.items() if not who or ("", kind) not in found]

    def _judge(self, market: str, before: int) -> list[Finding]:
        """Judge the days that end, those without any event too."""
        is_gap = before - self._judged > DAYS_KEPT  # or the log begins
        days = range(self._judged + 1, before) if not is_gap else ()
        found = [each for day in days for each in self._end(market, day)]
        self._judged = max(self._judged, before - 1)
        return found

    def _end(self, market: str, day: int) -> Iterator[Finding]:
        came = self._open.pop(day, Counter())
        for key in came:
            if key not in self._series and len(self._series) < SERIES_MAX:
                self._series[key] = Series(_segment(*key))
        for key, series in self._series.items():
            series.days.appendleft(came[key])
            yield from _judged(series, market, (day + 1) * DAY_MS)


def _judged(series: Series, market: str, at_ms: int) -> Iterator[Finding]:
    """A finding where an episode begins; the figures of one that goes on are brought up to date."""
    off = series.off_by()
    last = series.episodes[-1] if series.episodes and not series.episodes[-1].ended_ms else None
    if off is None:
        if last is not None:
            last.ended_ms = at_ms
        return
    found = _finding(series.segment, market, at_ms, *off)
    if last is None:
        series.episodes.append(Episode(found))
        yield found
    else:
        last.finding = replace(found, since_ms=last.finding.since_ms, seen_ms=last.finding.seen_ms)


def _newest(days: deque[int], ago: int) -> int:
    return sum(islice(days, ago, ago + NEWEST))


def _usual(days: deque[int], ago: int) -> float | None:
    """Two median weeks of those before the newest two; None: too few are known."""
    past = list(islice(days, ago + NEWEST, ago + NEWEST + PAST_WEEKS * WEEK))
    weeks = [sum(past[start : start + WEEK]) for start in range(0, len(past) - WEEK + 1, WEEK)]
    return 2.0 * median(weeks) if len(weeks) >= PAST_WEEKS_MIN else None


def _segment(publisher: str, kind: str) -> str:
    return f"publisher={publisher} kind={kind}" if publisher else f"kind={kind}"


def _finding(segment: str, market: str, at_ms: int, came: int, usual: float) -> Finding:
    fewer = came < usual
    why = "trade has stopped, or what is sent is lost" if fewer else "a rush, or all is sent twice"
    what = segment.rpartition("kind=")[2]
    return Finding(
        cause=Cause.VOLUME,
        market=market,
        segment=segment,
        value=float(came),
        baseline=usual,
        n=came,
        since_ms=at_ms - NEWEST * DAY_MS,
        seen_ms=at_ms,
        likely=f"{came:,} {what}s in two weeks, {usual:,.0f} are usual for the season: {why}",
    )
