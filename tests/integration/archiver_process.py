"""An archiver that dies or falls asleep at a chosen step of its writing. Run as a process.

python -m tests.integration.archiver_process FOLDER --at STEP:N --signal KILL|STOP
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from monitoring import settings
from monitoring.archive import Archiver
from monitoring.chain import Source
from monitoring.parts import Limits, Part

IDLE_S = 1.5
# Small ranges, so that there are many steps to die at.
LIMITS = Limits(rows=120, size_bytes=10**9, age_s=60.0)


class ForgetfulArchiver(Archiver):
    """The control: goes on from group offsets, committed before the files are there."""

    def _open(self, consumer: Consumer, source: Source) -> Part:
        place = TopicPartition(source.topic, source.partition)
        offset = max(consumer.committed([place], timeout=10)[0].offset, 0)
        return Part(source, offset, offset, offset)

    def _publish_one(self, part: Part) -> None:
        place = TopicPartition(part.source.topic, part.source.partition, part.next_offset)
        self._consumer.commit(offsets=[place], asynchronous=False)
        super()._publish_one(part)


def hook(step: str, times: int, number: signal.Signals) -> Callable[[str], None]:
    """Send this process the signal when `step` is reached for the `times`th time."""
    seen = 0

    def reached(now: str) -> None:
        nonlocal seen
        seen += now == step
        if now == step and seen == times:
            os.kill(os.getpid(), number)

    return reached


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--at", required=True)
    parser.add_argument("--signal", required=True)
    parser.add_argument("--forgetful", action="store_true")
    given = parser.parse_args()
    kafka, own = settings.from_environment()
    step, _, times = given.at.partition(":")
    kind = ForgetfulArchiver if given.forgetful else Archiver
    archiver = kind(
        kafka,
        LIMITS,
        given.folder,
        session_timeout_s=own.session_timeout_s,
        tell=lambda words: print(words, flush=True),
        reached=hook(step, int(times), signal.Signals[f"SIG{given.signal}"]),
    )
    archiver.start()
    while not (archiver.is_at_end() and archiver.idle_s() >= IDLE_S):
        archiver.step()
    archiver.flush()
    print(f"yielded {archiver.progress.yielded}", flush=True)
    archiver.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
