"""What a supervisor, a probe and a curious stranger get from a worker's pages."""

import http.client
import json
import socket
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest
from prometheus_client import CollectorRegistry, Gauge

from stream_app.__main__ import main
from stream_app.shell import probe, web
from stream_app.shell.health import Health, Report
from stream_app.shell.probe import Unwell
from stream_app.shell.reading import Reading
from stream_app.shell.runner import Runner
from stream_app.shell.watchdog import THE_GROUP, Seen, Watchdog

STALL_S = 10.0


class Worker:
    """A runner as far as health looks at it, and the looks of its watchdog."""

    def __init__(self, seen: dict[int, Seen], open_: dict[int, int | None]) -> None:
        self.now_s = 0.0
        self.unserved: list[str] = []
        self.reading = Reading()
        self.reading.assign(frozenset(open_))
        self.stage = SimpleNamespace(NAME="scorer")
        self.next_offsets = lambda: open_
        self.dog = Watchdog(STALL_S, lambda: seen, self._end, self._now_s)
        self.dog.look()
        self.health = Health(cast(Runner, self), self.dog, lambda: self.unserved, self._now_s)

    def _now_s(self) -> float:
        return self.now_s

    def _end(self) -> NoReturn:
        raise AssertionError("not in this test")

    def stand_still(self) -> None:
        """Look often enough to be just below the limit, then once without a verdict."""
        self.dog.stall_s = float("inf")
        for _ in range(8):
            self.now_s += 2.0
            self.dog.look()
        self.dog.stall_s = STALL_S


def busy() -> Worker:
    return Worker({0: Seen(1, 5, 9)}, {0: 5})


def test_progress_or_nothing_to_do_is_well_and_ready() -> None:
    worker = Worker({0: Seen(1, 5, 5)}, {0: 5})
    worker.stand_still()

    assert worker.health.health().reasons == worker.health.ready().reasons == ()


def test_who_has_no_partition_is_ready() -> None:
    assert Worker({}, {}).health.ready().reasons == ()


def test_standing_still_is_unwell_in_words_and_figures() -> None:
    worker = busy()
    worker.stand_still()

    report = worker.health.health()

    assert report.reasons == ("partition 0 stands still for 16 s, 10 s are allowed",)
    partitions = cast(dict[str, Any], report.body["partitions"])
    assert partitions["0"] == {"next_offset": 5, "end": 9, "lag": 4, "still_s": 16.0}


def test_a_watchdog_that_looks_no_more_is_unwell() -> None:
    worker = busy()
    worker.now_s += 31.0

    assert worker.health.health().reasons == ("the watchdog has not looked for 31 s",)


def test_a_silent_broker_makes_unready_and_not_unwell() -> None:
    worker = Worker({0: Seen(1, 5, None)}, {0: 5})

    assert worker.health.health().reasons == ()
    assert worker.health.ready().reasons == ("the broker does not answer",)


def test_unread_state_a_missing_champion_and_no_assignment_are_unready() -> None:
    closed = Worker({0: Seen(1, None, 9)}, {0: None})
    closed.unserved = ["hdb"]
    outside = Worker({THE_GROUP: Seen(0, None, 9)}, {})
    outside.reading.assign(None)

    assert closed.health.ready().reasons == (
        "market hdb: a champion is announced, and none serves",
        "partition 0 is not open yet",
    )
    assert outside.health.ready().reasons == ("not in the group, or between two assignments",)
    assert outside.health.ready().body["partitions"] == {}


@pytest.fixture
def port() -> int:
    """Pages of a worker that is well, but not ready."""
    registry = CollectorRegistry()
    Gauge("answer", "of all", registry=registry).set(42)
    well, unready = Report((), {"reasons": []}), Report(("why",), {"reasons": ["why"]})
    address = web.serve("127.0.0.1", 0, lambda: well, lambda: unready, registry)
    return int(address.rpartition(":")[2])


def get(port: int, page: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, page)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_each_page_says_what_it_is_there_for(port: int) -> None:
    assert get(port, "/health") == (200, '{"reasons": []}\n')
    assert get(port, "/ready") == (503, '{"reasons": ["why"]}\n')
    assert "answer 42.0" in get(port, "/metrics")[1]


def test_whatever_else_is_asked_for_gets_a_short_no(port: int) -> None:
    assert get(port, "/../etc/passwd") == (404, "there are /health, /ready, /metrics\n")
    assert get(port, "/health", "POST")[0] == 405
    with socket.create_connection(("127.0.0.1", port)) as rude:
        rude.sendall(b"\x00\xff" * 50 + b"\r\n\r\n")

    assert get(port, "/health")[0] == 200


def test_a_port_that_is_taken_is_told_with_its_settings(port: int) -> None:
    with pytest.raises(web.CannotServe, match=f":{port} .HOUSING_STREAM_HTTP_HOST"):
        web.serve(
            "127.0.0.1", port, lambda: Report((), {}), lambda: Report((), {}), CollectorRegistry()
        )


def test_the_probe_gives_a_status_and_the_reasons(
    port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["health", "--port", str(port)]) == 0
    assert main(["health", "--ready", "--port", str(port)]) == 1

    said = capsys.readouterr()
    assert json.loads(said.out) == {"reasons": []}
    assert json.loads(said.err) == {"reasons": ["why"]}


def test_the_probe_must_know_the_port(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health"]) == 2

    assert "HOUSING_STREAM_HTTP_PORT is 0" in capsys.readouterr().err


def test_nobody_there_is_unwell() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(Unwell, match="nobody answers at"):
            probe.ask("127.0.0.1", free.getsockname()[1], "/health")
