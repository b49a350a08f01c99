"""One look of the scheduler: what is due is made, what is old is removed.

It keeps nothing: what was reported is read from the summaries of the runs.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from monitoring import index, job_process, jobs, runs, windows
from monitoring.asked import Asked
from monitoring.frames import Market
from monitoring.jobs import JOBS
from monitoring.settings import MonitoringSettings
from stream_app.contract.topics import OUTCOMES, PREDICTIONS


def step(
    archive: Path, prefix: str, names: Sequence[str], out: Path, settings: MonitoringSettings
) -> bool:
    """Make what is due in these markets, and remove what is old; tell whether all was measured."""
    asked = [one for name in names for one in due(Market(archive, prefix, name), out)]
    # A list: all are made, whatever became of the first.
    well = [_made(one, settings) for one in asked]
    keep = settings.report_keep_days, settings.report_keep_runs
    pruned = runs.prune(out, *keep, dry_run=False)
    if pruned.runs:
        _tell(f"removed {len(pruned.runs)} old reports, {pruned.kept} are kept")
    if well:
        _tell(f"{len(well)} reports were due, {well.count(False)} of them were ended")
    return all(well)


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


def _made(asked: Asked, settings: MonitoringSettings) -> bool:
    window = asked.windows.current
    named = f"{asked.market}, {asked.job}, {'' if window is None else windows.words(window)}"
    ended = job_process.report(asked, settings)
    _tell(f"{named}: {ended.reason or 'reported'} ({ended.seconds:.1f} s)")
    return not ended.reason


def _tell(words: str) -> None:
    print(f"jobs: {words}", file=sys.stderr, flush=True)
