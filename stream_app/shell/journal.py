"""Events by id in the log: refused ones, and at level debug every prediction.

Ids, places in the log and times only. A street, a position, or bytes as they came are
never written: they lie in the topics, under their rights and their retention.
"""

import logging
import time
from collections.abc import Callable

import msgspec
from msgspec import Struct

from stream_app.contract import topics
from stream_app.shell.runner import Applied
from stream_app.stages.step import Output

_log = logging.getLogger(__name__)
# A publisher that sends nothing but rejects must not fill the disk: the others are counted.
REJECTS_MAX = 20
_ID_LENGTH = 64


class _Answer(Struct):
    event_id: str
    prediction_id: str
    source_offset: int
    trace_id: str | None = None


class _Ids(Struct):
    event_id: str = ""
    trace_id: str | None = None


_answers = msgspec.json.Decoder(_Answer)
_ids = msgspec.json.Decoder(_Ids)


class Journal:
    """Writes about batches that are safe. Lives on the event loop."""

    def __init__(self, every_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._now_s = now_s
        self._since_s = now_s()
        self._left = REJECTS_MAX

    def applied(self, batch: Applied) -> None:
        answers = _log.isEnabledFor(logging.DEBUG)
        for output in batch.step.outputs:
            if output.topic is topics.REJECTS:
                self._reject(output)
            elif answers and output.topic is topics.PREDICTIONS and output.value is not None:
                _tell_answer(output.value, batch)

    def _reject(self, output: Output) -> None:
        now_s = self._now_s()
        if now_s - self._since_s >= self._every_s:
            self._since_s, self._left = now_s, REJECTS_MAX
        self._left -= 1
        if self._left >= 0:
            headers = dict(output.headers)
            ids = _ids_of(output.value or b"")
            told = {
                "code": headers["code"].decode(),
                "partition": int(headers["source_partition"]),
                "offset": int(headers["source_offset"]),
                "event_id": ids.event_id[:_ID_LENGTH],
                "trace_id": ids.trace_id and ids.trace_id[:_ID_LENGTH],
            }
            _log.info("rejected", extra=told)


def _ids_of(raw: bytes) -> _Ids:
    try:
        return _ids.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Ids()


def _tell_answer(value: bytes, batch: Applied) -> None:
    answer = _answers.decode(value)
    told = {
        "event_id": answer.event_id,
        "prediction_id": answer.prediction_id,
        "trace_id": answer.trace_id,
        "partition": batch.partition,
        "offset": answer.source_offset,
        "records": len(batch.records),
        "step_ms": round(batch.step_s * 1000, 3),
        "commit_ms": round(batch.commit_s * 1000, 3),
    }
    _log.debug("predicted", extra=told)
