"""What is gathered is bounded, and what cannot be read is unknown."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from monitoring import chain
from monitoring.alerting import gathering
from monitoring.alerting.gathering import Silent
from stream_app.contract import wire
from stream_app.contract.archive import ArchiveManifest
from stream_app.contract.topics import EVENTS
from tests.builders import listing, sale
from tests.unit.monitoring import archives

PAGE = b"# TYPE housing_uptime_seconds gauge\nhousing_uptime_seconds 1.0\n"


@contextmanager
def page(body: bytes, status: int = 200) -> Iterator[str]:
    """Answer one request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/metrics" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        thread.join()


def test_a_worker_is_asked() -> None:
    with page(PAGE) as address:
        assert gathering.scrape(address, 5.0).at_s == 5.0


@pytest.mark.parametrize(("body", "status"), [(b"hello", 200), (PAGE, 503)])
def test_an_answer_of_somebody_else_is_none(body: bytes, status: int) -> None:
    with page(body, status) as address, pytest.raises(Silent, match=address):
        gathering.scrape(address, 5.0)


def test_nobody_is_silent() -> None:
    with pytest.raises(Silent, match="refused"):
        gathering.scrape("127.0.0.1:1", 5.0)


def test_the_newest_listings_are_read_as_they_were_sent(tmp_path: Path) -> None:
    sent = [wire.encode(listing(event_id=str(n), source=f"s{n}")) for n in range(4)]
    archives.put(tmp_path, EVENTS, [sent[0], sent[1], wire.encode(sale()), b"?"], appended_ms=1)
    refused = b'{"kind":"listing","source":"s9","market":"king-county","area_sqm":7}'
    archives.put(tmp_path, EVENTS, [sent[2], refused], appended_ms=2)

    found = gathering.listings(tmp_path, archives.PREFIX, "king-county", most=3)

    assert sorted(each.publisher for each in found[1:]) == ["s2", "s9"]
    assert found[0].publisher in ("s0", "s1")
    assert "area_sqm" in next(each.fields for each in found if each.publisher == "s9")


def test_who_wants_the_newest_opens_no_more_manifests_than_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(20):
        archives.put(tmp_path, EVENTS, [wire.encode(listing())] * 10, appended_ms=n)
    opened: list[Path] = []

    def read(path: Path) -> ArchiveManifest:
        opened.append(path)
        return wire.decode_archive_manifest(path.read_bytes())

    monkeypatch.setattr(chain, "read", read)

    assert len(gathering.listings(tmp_path, archives.PREFIX, "king-county", most=20)) == 20
    assert len(opened) <= 4


def test_a_market_without_listings_has_none(tmp_path: Path) -> None:
    archives.put(tmp_path, EVENTS, [wire.encode(listing())])

    assert gathering.listings(tmp_path, archives.PREFIX, "hdb", most=3) == []


@pytest.mark.parametrize(
    "value", [None, b"", b"[]", b"7", b'{"kind":"listing","source":7}', b"\xff"]
)
def test_bytes_that_are_no_listing_are_none(value: bytes | None) -> None:
    assert gathering.sent_of(value) is None
