"""One look of the scheduler: what is due is made, what is old is removed.

It keeps nothing: what was reported is read from the summaries of the runs.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from monitoring import index, job_process, jobs, runs, windows
from monitoring.asked import Asked
from monitoring.frames import Market
from monitoring.jobs import JOBS
from monitoring.settings import MonitoringSettings
from stream_app.contract.topics import OUTCOMES, PREDICTIONS


class Reported(Struct, frozen=True):
    """What became of a report that was due."""

    market: str
    job: str
    window: str
    reason: str  # why it was ended; empty: it has measured
    seconds: float


class Look(Struct, frozen=True):
    """What one look came to."""

    reports: tuple[Reported, ...]
    removed: int  # old ones

    @property
    def ended(self) -> int:
        """How many were ended before they had measured."""
        return sum(bool(one.reason) for one in self.reports)


def step(
    archive: Path, prefix: str, names: Sequence[str], out: Path, settings: MonitoringSettings
) -> Look:
    """Make what is due in these markets, and remove what is old."""
    asked = [one for name in names for one in due(Market(archive, prefix, name), out)]
    reported = tuple(_made(one, settings) for one in asked)
    keep = settings.report_keep_days, settings.report_keep_runs
    pruned = runs.prune(out, *keep, dry_run=False)
    look = Look(reported, len(pruned.runs))
    if look.removed:
        _tell(f"old reports removed: {look.removed}, kept: {pruned.kept}")
    if reported:
        _tell(f"reports that were due: {len(reported)}, of these ended: {look.ended}")
    return look


def due(market: Market, out: Path) -> Iterator[Asked]:
    """Give the reports that a market is due."""
    ends = [file.event_to_ms for topic in (PREDICTIONS, OUTCOMES) for file in market.files(topic)]
    market_ms = jobs.market_time_ms(ends)
    if market_ms is None:
        return
    made = [summary for _, summary in index.found(out) if summary.market == market.name]
    for job in JOBS:
        done = (s.windows for s in made if s.job == job.name)
        asked = jobs.due(job, market_ms, _newest_end_ms(done))
        if asked is not None:
            yield Asked(market.name, asked, market.root, out, market.prefix, job.kinds, job.name)


def _newest_end_ms(told: Iterable[str]) -> int | None:
    return max((windows.parse(window).to_ms for window in told), default=None)


def _made(asked: Asked, settings: MonitoringSettings) -> Reported:
    window = asked.windows.current
    words = "" if window is None else windows.words(window)
    ended = job_process.report(asked, settings)
    seconds = round(ended.seconds, 1)
    _tell(f"{asked.market}, {asked.job}, {words}: {ended.reason or 'reported'} ({seconds} s)")
    return Reported(asked.market, asked.job, words, ended.reason, seconds)


def _tell(words: str) -> None:
    print(f"jobs: {words}", file=sys.stderr, flush=True)
