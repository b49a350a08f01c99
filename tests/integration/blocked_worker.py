"""A worker with a planted fault: its event loop hangs, or its partitions never open.

python -m tests.integration.blocked_worker loop|opening
"""

import sys
import threading
from collections.abc import Mapping

from stream_app.shell import settings
from stream_app.shell.app import run_worker
from stream_app.shell.publisher import Publisher
from stream_app.shell.runner import Stage
from stream_app.stages import scorer
from stream_app.stages.step import Serving


def hang() -> Mapping[str, Serving]:
    """Asked on the event loop before each batch: which models serve. Never answers."""
    threading.Event().wait()
    return {}


def open_never(_stage: Stage, _partition: int) -> Publisher:
    """Asked in a thread of its own when a partition is opened. Never answers."""
    threading.Event().wait()
    raise AssertionError


def main(what: str) -> None:
    """Run the scorer with it."""
    kafka, stream = settings.from_environment()
    if what == "loop":
        run_worker(scorer, kafka, stream, serving=hang)
    run_worker(scorer, kafka, stream, open_never)


if __name__ == "__main__":
    main(*sys.argv[1:])
