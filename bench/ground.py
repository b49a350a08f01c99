"""What all contestants stand on: one real broker, fresh topics, and which cores are whose."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from confluent_kafka.admin import AdminClient, NewTopic

from bench.machine import cores, pin
from demo.programs import Program, Programs
from stream_app.contract.settings import BOOTSTRAP_SERVERS, CONFIG_FILE, ROOT
from stream_app.contract.topics import DEFAULT_PARTITIONS, TOPICS, full_name

FOLDER = Path("var", "bench")
_BROKER_WITHIN_S = 300.0  # the first run of all fetches 45 MB


class Ground(NamedTuple):
    brokers: str
    broker: Program | None  # None: it is not ours
    programs: Programs
    worker_cores: Sequence[int]  # of the contestant, alone
    other_cores: Sequence[int]  # of broker, load and observer


@contextmanager
def ground(worker_cores: int = 1) -> Iterator[Ground]:
    """Have a broker that answers: the one that is named, else one of our own, on its own cores.

    Raises
    ------
    ProgramFailed : no broker could be started
    """
    (FOLDER / "logs").mkdir(parents=True, exist_ok=True)
    settings = FOLDER / "settings.toml"
    settings.write_text("", "utf-8")  # keeps programs from reading a housing.toml that lies here
    kept = {name: of for name, of in os.environ.items() if not name.startswith(ROOT)}
    programs = Programs(
        FOLDER / "logs", kept | {CONFIG_FILE: str(settings.absolute())}, lambda: None
    )
    everybodys = cores()
    ours, others = parted(everybodys, worker_cores)
    pin(os.getpid(), others)
    try:
        named = os.environ.get(BOOTSTRAP_SERVERS)
        brokers, broker = (named, None) if named else _own_broker(programs)
        programs.set_environment({BOOTSTRAP_SERVERS: brokers})
        yield Ground(brokers, broker, programs, ours, others)
    finally:
        programs.stop_all()
        pin(os.getpid(), everybodys)


def parted(all_cores: Sequence[int], worker_cores: int) -> tuple[Sequence[int], Sequence[int]]:
    """The contestant's cores, and everybody else's; with too few, all share all.

    >>> parted((0, 1, 2, 3), 1)
    ((0,), (1, 2, 3))
    >>> parted((0, 1), 2)
    ((0, 1), (0, 1))
    """
    if len(all_cores) <= worker_cores:
        return all_cores, all_cores
    return all_cores[:worker_cores], all_cores[worker_cores:]


def make_topics(ground: Ground, prefix: str, others: Sequence[str] = ()) -> None:
    """Make our topics under a prefix, and those of peers, with as many partitions."""
    wanted = [
        NewTopic(
            full_name(prefix, topic),
            DEFAULT_PARTITIONS if topic.co_partitioned else 1,
            1,
            config=dict(topic.config),
        )
        for topic in TOPICS
    ]
    wanted += [NewTopic(name, DEFAULT_PARTITIONS, 1) for name in others]
    # Named: the answers do not outlive it.
    admin = AdminClient({"bootstrap.servers": ground.brokers, "log_level": 2})
    for made in admin.create_topics(wanted).values():
        made.result(30)


def _own_broker(programs: Programs) -> tuple[str, Program]:
    """Start a broker on an empty folder; what was there is of an earlier bench."""
    data, ready = FOLDER / "broker", FOLDER / "broker.address"
    shutil.rmtree(data, ignore_errors=True)
    ready.unlink(missing_ok=True)
    broker = programs.start(
        "broker",
        *("stream_app", "broker", "--data-dir", str(data)),
        *("--port", "0", "--ready-file", str(ready)),
    )
    programs.await_(ready.exists, _BROKER_WITHIN_S, broker, "get ready")
    return ready.read_text("utf-8"), broker
