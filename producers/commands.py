"""What each command does: builds the real parts, runs them, tells what came of it."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic

import msgspec

from producers import checkpoint
from producers.arguments import selection
from producers.checkpoint import Checkpoint, Replay
from producers.convert import convert, convert_to_file
from producers.doctor import Finding, check_json_lines, check_source, count
from producers.judgement import Verdict
from producers.pace import Pace
from producers.planting import Truth
from producers.post import Post
from producers.progress import shown
from producers.rejects_commands import run_rejects
from producers.replayer import Replayer, Report, World
from producers.selection import Selection
from producers.sender import Sender, refuse_unsafe, topic_id, wall_clock_ms
from producers.settings import ProducerSettings, from_environment
from producers.sources import BadFile, Tally
from producers.stopping import BY_SIGNAL, Stop, on_signals
from stream_app.contract.counts import counted
from stream_app.contract.events import AnyEvent
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, full_name

NOT_ALL_GOOD = 1


def run_convert(given: argparse.Namespace) -> int:
    """Source files to JSON lines."""
    _, own = from_environment()
    tally = Tally(strict=given.strict)
    events, truths = selection(given, own.seed).sent(tally)
    if given.out is None:
        kinds = convert(events, sys.stdout.buffer)
    else:
        kinds = convert_to_file(events, given.out)
    _tell_tally(tally)
    _tell_truths(truths, given.truth)
    if given.json:
        summary = {"events": kinds, **_summary_of(tally)}
        print(json.dumps(summary), file=sys.stdout if given.out else sys.stderr)
    else:
        _tell(f"{_told(kinds)} from {counted(tally.rows, 'row')}")
    return 0


def run_replay(given: argparse.Namespace) -> int:
    """Source files to Kafka, at a chosen speed."""
    kafka, own = from_environment()
    refuse_unsafe(own)  # the sender does, too, but once files are read and a broker has answered
    tally = Tally(strict=given.strict)
    chosen = selection(given, own.seed)
    with on_signals() as stop:
        events, truths = chosen.sent(tally)
        _tell_truths(truths, given.truth)
        report = _replay(given, kafka, own, (chosen, list(events)), stop)
    _tell_tally(tally)
    if given.json:
        print(json.dumps(_summary_of_replay(report, tally)))
    else:
        _tell_replay(report)
    return 0 if stop.signal_number is None else BY_SIGNAL + stop.signal_number


def run_check(given: argparse.Namespace) -> int:
    """A file's lines to verdicts, without a broker."""
    _, own = from_environment()
    counts: Counter[str] = Counter()
    write = _write_json if given.json else _write_line
    if given.source is not None:
        findings = check_source(given.source, given.path, own.seed, wall_clock_ms())
    elif given.path.name.removesuffix(".gz").endswith(".csv"):
        raise BadFile(f"{given.path}: say whose columns these are with --source")
    else:
        findings = check_json_lines(given.path, wall_clock_ms())
    for finding in findings:
        count(finding, counts)
        if not (given.quiet and finding.verdict is Verdict.ACCEPTED):
            write(finding)
    _write_counts(counts, as_json=given.json)
    if not counts:
        _tell(f"producers check: {given.path}: no event in it")
    return NOT_ALL_GOOD if counts[Verdict.REJECTED] or not counts else 0


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "convert": run_convert,
    "replay": run_replay,
    "check": run_check,
    "rejects": run_rejects,
}


def _replay(
    given: argparse.Namespace,
    kafka: KafkaSettings,
    own: ProducerSettings,
    history: tuple[Selection, Sequence[AnyEvent | Post]],
    stop: Stop,
) -> Report:
    chosen, events = history
    replay = checkpoint.replay_of(chosen, full_name(kafka.prefix, EVENTS), topic_id(kafka, own))
    position = checkpoint.load(given.checkpoint, replay) if given.checkpoint else 0
    resumed_at = min(position, len(events))
    if resumed_at:
        _tell(f"going on after {counted(resumed_at, 'event')} confirmed before")
    save = _saver(given.checkpoint, replay)
    save(resumed_at)  # a place that cannot be written to is told before anything is sent
    with Sender(kafka, own) as sender, shown(len(events), resumed_at) as show:
        world = World(monotonic, wall_clock_ms, stop.wait, show, save)
        pace: Pace = given.speed
        return Replayer(events, sender, world, pace, position=resumed_at, refuse=given.refuse).run()


def _saver(path: Path | None, replay: Replay) -> Callable[[int], None]:
    if path is None:
        return lambda position: None
    return lambda position: checkpoint.save(path, Checkpoint(replay=replay, position=position))


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(counted(n, kind) for kind, n in counts.items()) or "no events"


def _tell_tally(tally: Tally) -> None:
    if tally.repaired:
        told = ", ".join(f"{column} {n:,}" for column, n in sorted(tally.repaired.items()))
        _tell(f"repaired cells: {told}")
    for bad in tally.first_bad_rows:
        _tell(f"not read: {bad}")
    if tally.bad_rows:
        _tell(f"left out as unreadable: {counted(tally.bad_rows, 'row')}")


def _tell_truths(truths: Sequence[Truth], path: Path | None) -> None:
    for truth in truths:
        scope = ", ".join(f"{name}={value}" for name, value in truth.plant.items() if value)
        _tell(f"planted: {scope}: {counted(truth.events, 'event')} changed")
    if path is not None:
        checkpoint.write_whole(path, msgspec.json.encode(truths))


def _summary_of(tally: Tally) -> dict[str, object]:
    return {
        "rows": tally.rows,
        "bad_rows": tally.bad_rows,
        "repaired": dict(sorted(tally.repaired.items())),
    }


def _summary_of_replay(report: Report, tally: Tally) -> dict[str, object]:
    return {
        "sent": report.sent,
        "events": sum(report.sent.values()),
        "refused": report.against_rules if report.refused else {},
        "against_rules": report.against_rules,
        "resumed_at": report.resumed_at,
        "position": report.position,
        "total": report.total,
        "complete": report.complete,
        "seconds": round(report.seconds, 3),
        "events_per_s": round(report.per_s, 1),
        **_summary_of(tally),
    }


def _tell_replay(report: Report) -> None:
    _tell(
        f"sent and confirmed {_told(report.sent)} in {report.seconds:,.1f} s "
        f"({report.per_s:,.0f} events/s)"
    )
    if report.against_rules:
        codes = ", ".join(f"{code} {n:,}" for code, n in report.against_rules.items())
        done = "refused, not sent" if report.refused else "sent, and the scorer will reject them"
        _tell(f"against the rules: {codes}: {done}")
    if not report.complete:
        _tell(f"stopped at {report.position:,} of {report.total:,}")


def _write_line(finding: Finding) -> None:
    print(finding)


def _write_json(finding: Finding) -> None:
    print(
        json.dumps(
            {
                "line": finding.line,
                "verdict": finding.verdict,
                "code": finding.code,
                "detail": finding.detail,
            }
        )
    )


def _write_counts(counts: Mapping[str, int], *, as_json: bool) -> None:
    codes = {
        key.partition(":")[2]: n for key, n in sorted(counts.items()) if key.startswith("rejected:")
    }
    verdicts = {verdict.value: counts.get(verdict, 0) for verdict in Verdict}
    if as_json:
        print(json.dumps({"lines": sum(verdicts.values()), **verdicts, "codes": codes}))
        return
    told = ", ".join(f"{n:,} {verdict}" for verdict, n in verdicts.items())
    by_code = ", ".join(f"{code} {n:,}" for code, n in codes.items())
    lines = sum(verdicts.values())
    judged = f"{counted(lines, 'line')}: {told}"
    print(judged + (f" ({by_code})" if by_code else ""))
