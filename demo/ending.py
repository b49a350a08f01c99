"""The last words: what the run came to and how to go on, or what failed and what to do."""

from collections.abc import Iterable
from pathlib import Path

from demo.folders import Folders
from demo.programs import ProgramFailed
from demo.screen import number
from demo.summary import Summary
from stream_app.contract.settings import KafkaSettings

TAIL_LINES = 15
TAIL_BYTES = 64 * 1024
SHOWN_CHARS = 400


def failure_lines(failed: ProgramFailed, what: str) -> list[str]:
    """Say which program failed, show the end of what it said, and what to do."""
    program = failed.program
    said = [*tail(program.log), *tail(program.output)] or ["(it said nothing)"]
    return [
        f"{what}: {failed}. The end of {program.log}:",
        "",
        *(f"    {shortened(line)}" for line in said),
        "",
        f"All programs were stopped. Mend what it says and run the {what} again; if it says",
        f"nothing that helps, {program.log.parent} has what the other programs said.",
    ]


def shortened(line: str, chars: int = SHOWN_CHARS) -> str:
    """Cut the middle out of what no terminal shows in one piece.

    >>> shortened("from here to there, and on", chars=16)
    'from ... and on'
    """
    if len(line) <= chars:
        return line
    half = chars // 2
    begins, ends = line[:half], line[-half:]
    # At a space where there is one: half a name is none.
    return f"{begins.rpartition(' ')[0] or begins} ... {ends.partition(' ')[2] or ends}"


def tail(log: Path, lines: int = TAIL_LINES) -> list[str]:
    """The last lines of a log, none when there is none."""
    if not log.exists():
        return []
    with log.open("rb") as opened:
        opened.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return opened.read().decode("utf-8", "replace").splitlines()[-lines:]


def verdict(summary: Summary, losses: Iterable[str]) -> list[str]:
    """Say whether every event was accounted for once."""
    if not (summary.lost or summary.visible_twice):
        return [f"All {summary.events:,} events are accounted for: 0 lost, 0 visible twice."]
    return [
        f"FAILED: {summary.lost:,} events lost, {summary.visible_twice:,} results visible twice",
        *(f"  lost: {loss}" for loss in losses),
    ]


def flow_lines(summary: Summary) -> list[str]:
    """What flowed, and how fast."""
    return [
        (
            f"{summary.events:,} events: {summary.predictions:,} predictions, "
            f"{summary.outcomes:,} sales joined, {summary.rejects:,} rejected, "
            f"{summary.late:,} late, {summary.duplicates:,} duplicates"
        ),
        (
            f"{number(summary.scored_per_s)} predictions/s flat out; at "
            f"{summary.paced_events_per_s:,} events/s from append to a read_committed consumer: "
            f"p50 {number(summary.p50_ms)} ms, p99 {number(summary.p99_ms)} ms"
        ),
        (
            f"champion {summary.champion}, corrector version {summary.corrector}; "
            f"set-up {summary.setup_s:.0f} s, all {summary.run_s:.0f} s"
        ),
    ]


def place_lines(folders: Folders) -> list[str]:
    """Where to find what the run left."""
    return [
        f"summary   {folders.summary}",
        f"reports   {folders.reports / 'index.html'}",
        f"logs      {folders.logs}",
    ]


def go_on_lines(kafka: KafkaSettings, folders: Folders, own_broker: bool) -> list[str]:
    """Commands that bring this run back to life and look at it."""
    python = ".venv/bin/python -m"
    lines = [f"export HOUSING_CONFIG={folders.settings}"]
    if own_broker:
        lines.append(f"{python} stream_app broker &   # 127.0.0.1:9092, this run's data")
    lines += [
        f"{python} stream_app supervise &   # a scorer: what you send is priced",
        f"{python} stream_app tail --from-start --count 5   # of before there was a champion",
        "# now send a listing of your own: README.md, ten lines",
    ]
    if own_broker:
        lines.append("kill %1 %2   # ends both; a new demo empties this folder")
    else:
        lines.append("kill %1   # ends the scorer")
        lines.append(f"# the topics {kafka.prefix}.* stay on your broker until you delete them")
    return [
        "Go on by hand, with this run's topics, models and archive:",
        "",
        *map("  ".__add__, lines),
    ]
