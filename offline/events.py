"""Where events come from, as the options say: partitions of a log, or rows that are ready.

Not here: the options themselves (arguments.py).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from offline import log
from offline.faults import WrongInput
from offline.log import Line, Partition
from offline.progress import say, told
from offline.settings import OfflineSettings
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.spans import DAY_MS

if TYPE_CHECKING:
    from offline.dataset import Dataset

TOPIC, ARCHIVE, SNAPSHOT = "topic", "archive", "snapshot"
LOGS = (TOPIC, ARCHIVE)
RECORDED_AFTER_DAYS = 30  # until a deed is recorded and its price published
_QUIET_DAYS = 31  # a market that tells only months has a sale in each
_EVER_MS = 2**53  # later than any event


class WrongOptions(WrongInput):
    """Options that do not go together."""


def partitions(
    given: argparse.Namespace, kafka: KafkaSettings, own: OfflineSettings
) -> list[Partition]:
    """The log that the options name.

    Raises
    ------
    WrongOptions : a snapshot is named, which has no log
    LogUnreadable : there is no such log
    """
    if given.source is not None:
        return [log.of_source(given.source, given.file)]
    if given.file:
        raise WrongOptions("--file goes with --source, not with --events")
    kind, _, name = given.events.partition(":")
    if given.events == TOPIC:
        return log.of_topic(kafka)
    if kind == ARCHIVE:
        from offline import archived

        return archived.of_archive(Path(own.archive), kafka.prefix, name or None)
    if kind == SNAPSHOT:
        raise WrongOptions(
            f"{given.command} replays events, and a snapshot holds rows: give it the log that "
            f"{name} was made of (`snapshot show` names it)"
        )
    return [log.of_file(Path(given.events))]


def label_delay_days(given: argparse.Namespace) -> int:
    """How much later sales become known than they stand in the events, where nobody says.

    A source tells a sale on its day. In a log it is as late as it came: made later still, the
    newest labels would be judged as if nobody knew them.
    """
    if given.label_delay_days is not None:
        return int(given.label_delay_days)
    is_log = given.events is not None and given.events.partition(":")[0] in LOGS
    return 0 if is_log else RECORDED_AFTER_DAYS


def rows(
    given: argparse.Namespace,
    kafka: KafkaSettings,
    own: OfflineSettings,
    progress: Callable[[], Callable[[int], None]] = told,
    ends: Mapping[int, int] | None = None,
) -> Dataset:
    """The rows that training sees: of a snapshot as they are, else by replaying the log.

    `ends`: offsets by partition, where the log is taken to end; else where it ends now.

    Raises
    ------
    WrongOptions : `--train-to` is wanted, or is not the snapshot's
    LogUnreadable, SnapshotRefused : there is nothing that can be read
    """
    if given.events is not None and given.events.startswith(f"{SNAPSHOT}:"):
        return _of_snapshot(given)
    from offline import dataset, splits

    before_ms = _EVER_MS if given.train_to is None else given.train_to
    say(f"replaying the events of {given.market}")
    read = partitions(given, kafka, own)
    data = dataset.collect(
        read if ends is None else until(read, ends),
        given.market,
        before_ms,
        progress(),
        processes=given.processes or cores(),
        without_sources=given.without_source,
    )
    records = sum(read.records for read in data.read)
    data = splits.without_duplicates(data)
    say(f"{records:,} events read, {len(data):,} sold homes; events {data.counts}")
    if given.train_to is not None and len(data):
        warning = ended_early(int(data.sold_ms.max()), before_ms)
        if warning is not None:
            say(warning)
    return data


def ended_early(newest_ms: int, before_ms: int) -> str | None:
    """What is told if the sales end so long before `--train-to` that it may be a slip."""
    days = (before_ms - newest_ms) // DAY_MS
    if days <= _QUIET_DAYS:
        return None
    newest = time.strftime("%Y-%m-%d", time.gmtime(newest_ms / 1000))
    return (
        f"the newest sale is of {newest}, {days:,} days before --train-to: is this all of the log?"
    )


@dataclass(frozen=True)
class _Until:
    """Lines before an offset."""

    lines: Iterable[Line]
    end: int

    def __iter__(self) -> Iterator[Line]:
        return takewhile(lambda line: line.record.offset < self.end, self.lines)


def until(partitions: Sequence[Partition], ends: Mapping[int, int]) -> list[Partition]:
    """The log as it was when its partitions ended at these offsets; one not named was not there."""
    return [p._replace(lines=_Until(p.lines, ends.get(p.number, 0))) for p in partitions]


def cores() -> int:
    """How many processes can run at once here."""
    return len(os.sched_getaffinity(0))


def _of_snapshot(given: argparse.Namespace) -> Dataset:
    from offline import snapshot

    folder = Path(given.events.partition(":")[2])
    made, data = snapshot.load(folder)
    for option, wanted, has in (
        ("--market", given.market, made.market),
        ("--train-to", given.train_to, made.before_ms),
    ):
        if wanted is not None and wanted != has:
            raise WrongOptions(f"{option}: {folder} is fixed at another one, see `snapshot show`")
    if given.without_source:
        raise WrongOptions("--without-source: a snapshot is fixed; make one without the source")
    say(f"{len(data):,} sold homes of snapshot {made.version}")
    return data
