"""What a worker did stands in its log, as JSON, every few seconds."""

import json
import logging

import pytest

from stream_app.shell.logs import JsonLines
from stream_app.shell.metrics import Meter
from stream_app.shell.runner import Applied
from stream_app.stages.step import Output, Record, Step


def batch(offset: int, *outputs: Output) -> Applied:
    step = Step(outputs, {"a": b""}, offset)
    return Applied(3, [Record(offset, None, b"", 10_900)], step, step_s=0.02, commit_s=0.004)


def test_counts_are_told_when_it_is_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    times_s = iter((0.0, 1.0, 11.0))
    meter = Meter(every_s=10.0, now_s=lambda: next(times_s))

    for offset in (4, 5):
        meter.applied(batch(offset))

    (told,) = (json.loads(JsonLines().format(record)) for record in caplog.records)
    assert told["counts"] == {"records": 2, "batches": 2, "outputs": 0, "state_records": 2}
    assert (told["offsets"], told["behind_ms"]) == ({"3": 5}, {"3": 100})
    assert (told["step_s"], told["commit_s"]) == (0.04, 0.008)


def test_a_log_line_is_one_json_object_even_with_a_traceback() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        record = logging.makeLogRecord(
            {"msg": "ending with %d", "args": (70,), "exc_info": (ValueError, error, None)}
        )

    line = JsonLines().format(record)

    assert "\n" not in line
    assert json.loads(line)["message"] == "ending with 70"
    assert json.loads(line)["error"] == "ValueError: two\nlines"
