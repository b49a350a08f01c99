"""Who runs against whom: each is a program that reads the events and commits its offsets.

Data, but for `start`. How each is written: bench/peers, bench/hand_loop.py, and ours.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

from bench.champion import Models
from bench.ground import Ground
from bench.machine import pin
from demo.programs import Program
from stream_app.contract.topics import group_id


class Contestant(NamedTuple):
    name: str
    arguments: tuple[str, ...]  # of `python -m`
    in_quix_environment: bool = False
    commits: bool = True  # else its answers are counted
    beside: tuple[str, ...] = ()  # ends of the topics that it writes beside its output

    def group(self, prefix: str) -> str:
        """The consumer group whose committed offsets tell how far it is."""
        return group_id(prefix, "scorer" if self.name == "ours" else self.name)

    def output(self, prefix: str) -> str:
        """The topic that a peer writes to."""
        return f"{prefix}.{self.name}"

    def topics(self, prefix: str) -> list[str]:
        """All that it writes to; ours are made as the contract says."""
        return [f"{self.output(prefix)}{end}" for end in ("", *self.beside)]


_FAUST = ("worker", "--without-web", "--loglevel", "warn")
# Faust makes them by itself, and its agent dies when the first event comes before it has noticed.
_CHANGELOGS = tuple(f"-{table}-changelog" for table in ("listed_24h", "sold_30d", "served"))

CONTESTANTS = (
    Contestant("ours", ("stream_app", "worker", "--stage", "scorer")),
    Contestant("hand_loop", ("bench.hand_loop",), beside=("-state",)),
    Contestant("textbook_quix", ("bench.peers.textbook_quix",), in_quix_environment=True),
    Contestant(
        "textbook_quix_exactly_once",
        ("bench.peers.textbook_quix", "exactly-once"),
        in_quix_environment=True,
    ),
    # Faust commits when the buffer of its changelogs is empty, which it never is with a backlog.
    Contestant(
        "textbook_faust",
        ("bench.peers.textbook_faust", *_FAUST),
        commits=False,
        beside=_CHANGELOGS,
    ),
    Contestant("faust_empty", ("bench.peers.faust_empty", *_FAUST)),
    Contestant("faust_pass", ("bench.peers.faust_pass", *_FAUST)),
    Contestant("quix_pass", ("bench.peers.quix_pass",), in_quix_environment=True),
    Contestant("hand_pass", ("bench.peers.hand_pass",)),
)


OURS = CONTESTANTS[0]


def start(
    who: Contestant,
    ground: Ground,
    models: Models,
    prefix: str,
    python: Path = Path(sys.executable),
    number: int = 0,
) -> Program:
    """Start a contestant on the cores of workers; `number` tells apart those of one group."""
    ground.programs.set_environment(
        {
            **models.environment,
            "HOUSING_KAFKA_PREFIX": prefix,
            "HOUSING_STREAM_REPORT_EVERY_S": "5",
            # All events are there at the start: a worker would leave out reasons to catch up.
            "HOUSING_STREAM_OVERLOAD_LAG": str(10**9),
            "BENCH_BROKERS": ground.brokers,
            "BENCH_GROUP": who.group(prefix),
            "BENCH_EVENTS": f"{prefix}.events",
            "BENCH_OUTPUT": who.output(prefix),
            "BENCH_MODEL": str(models.bundle()),
            "BENCH_MODELS": str(models.folder),
            "BENCH_FEATURES": str(models.folder / "features.json"),
            "BENCH_STATE": str(models.folder.parent / "state" / prefix / who.name),
        }
    )
    program = ground.programs.start(
        f"{prefix}-{who.name}-{number}", *who.arguments, python=str(python)
    )
    pin(program.process.pid, ground.worker_cores)
    return program


def has_opened(program: Program) -> bool:
    """Whether a worker of ours has said that it opened a partition."""
    return re.search(r'"opened", "partitions": \[\d', program.log.read_text("utf-8")) is not None
