"""A worker with a planted fault: its event loop hangs as soon as there is a batch."""

import threading
from collections.abc import Mapping

from stream_app.shell import settings
from stream_app.shell.app import run_worker
from stream_app.stages import scorer
from stream_app.stages.step import Serving


def hang() -> Mapping[str, Serving]:
    """Asked on the event loop before each batch: which models serve. Never answers."""
    threading.Event().wait()
    return {}


def main() -> None:
    """Run the scorer with it."""
    kafka, stream = settings.from_environment()
    run_worker(scorer, kafka, stream, serving=hang)


if __name__ == "__main__":
    main()
