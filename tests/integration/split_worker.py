"""A worker with a planted bug: the state is committed in a transaction of its own, after the outputs.

A death between the two is what exactly-once must not have. The test that uses it
must go red, or it could not see the fault in the real worker either.
"""

from stream_app.shell import settings
from stream_app.shell.app import run_worker
from stream_app.shell.chaos import At, Point, nothing, planted, read_faults
from stream_app.shell.publisher import KafkaPublisher
from stream_app.shell.runner import Stage
from stream_app.stages import scorer
from stream_app.stages.step import Step


class SplitPublisher:
    """Outputs, then state: two promises instead of one."""

    def __init__(self, inner: KafkaPublisher, at: At) -> None:
        self._inner = inner
        self._at = at

    def commit(self, step: Step) -> None:
        """Commit twice, with the point of the planted death in between."""
        self._inner.commit(step._replace(state={}))
        self._at(Point.AFTER_OUTPUTS)
        self._inner.commit(step._replace(outputs=()))

    def close(self) -> None:
        """As the real one."""
        self._inner.close()


def main() -> None:
    """Run the scorer with it."""
    kafka, stream = settings.from_environment()
    at = planted(read_faults(stream.chaos))

    def open_publisher(stage: Stage, partition: int) -> SplitPublisher:
        inner = KafkaPublisher(
            kafka, stage.NAME, stage.SOURCE, stage.STATE_TOPIC, partition, nothing
        )
        return SplitPublisher(inner, at)

    run_worker(scorer, kafka, stream, open_publisher)


if __name__ == "__main__":
    main()
