"""Ids and places stand in the log, and nothing that says where somebody lives."""

import json
import logging

import pytest

from stream_app.contract import topics, wire
from stream_app.contract.ids import partition_of
from stream_app.shell.journal import REJECTS_MAX, Journal
from stream_app.shell.logs import JsonLines
from stream_app.shell.runner import Applied
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Output, Record, Serving, Step
from tests.builders import MARKET, REGION, listing

STREET = "Unter den Linden 77"
HOME = {"street": STREET, "latitude": 47.123456, "longitude": -122.654321}


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "stream_app")


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(JsonLines().format(record)) for record in caplog.records]


def reject(value: bytes, offset: int = 7) -> Output:
    headers = {"code": "price", "detail": STREET, "source_partition": "2"}
    headers |= {"source_offset": str(offset), "publisher": STREET}
    return Output(
        topics.REJECTS, b"k", value, 2, tuple((k, v.encode()) for k, v in headers.items())
    )


def applied(*outputs: Output) -> Applied:
    step = Step(outputs, {}, 7)
    return Applied(2, [Record(7, None, b"", 0)], step, step_s=0.02, commit_s=0.004)


def test_a_prediction_is_named_with_its_ids_and_its_times(
    caplog: pytest.LogCaptureFixture,
) -> None:
    event = listing(**HOME, trace_id="t-1")
    records = [Record(7, REGION.encode(), wire.encode(event), event.event_time_ms)]
    home = partition_of(REGION.encode(), 4)
    step = scorer.advance(Batch("t.events", "id", home, 4, records), {}, {MARKET: Serving()})

    Journal(every_s=10).applied(applied(*step.outputs))

    (said,) = (line for line in lines(caplog) if line["message"] == "predicted")
    assert (said["event_id"], said["trace_id"], said["offset"]) == (event.event_id, "t-1", 7)
    assert said["prediction_id"]
    assert (said["step_ms"], said["commit_ms"]) == (20.0, 4.0)


def test_a_reject_is_named_by_code_and_place(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(every_s=10)

    journal.applied(applied(reject(b'{"event_id":"e-1","trace_id":"t-1","area_m2":"x"}')))
    journal.applied(applied(reject(f"\xff{STREET}".encode("latin-1"), offset=8)))

    first, second = lines(caplog)
    assert {k: first[k] for k in ("code", "partition", "offset", "event_id", "trace_id")} == {
        "code": "price",
        "partition": 2,
        "offset": 7,
        "event_id": "e-1",
        "trace_id": "t-1",
    }
    assert (second["offset"], second["event_id"]) == (8, "")


def test_no_line_says_where_a_home_is(caplog: pytest.LogCaptureFixture) -> None:
    raw = wire.encode(listing(**HOME))

    Journal(every_s=10).applied(applied(reject(raw), reject(STREET.encode())))

    assert lines(caplog)
    for told in (STREET, "47.12", "122.65"):
        assert told not in caplog.text + json.dumps(lines(caplog))


def test_a_flood_of_rejects_is_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    times_s = iter([0.0, *[1.0] * 50, 11.0])
    journal = Journal(every_s=10, now_s=lambda: next(times_s))

    journal.applied(applied(*[reject(b"{}")] * 50))
    assert len(lines(caplog)) == REJECTS_MAX
    journal.applied(applied(reject(b"{}")))
    assert len(lines(caplog)) == REJECTS_MAX + 1
