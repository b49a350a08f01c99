"""A worker's three pages, /health, /ready and /metrics, in threads of their own. Text only.

On the loopback address unless told otherwise: whoever may read it learns counts, offsets
and versions, nothing of any home.
"""

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from stream_app.shell.health import Report

# Who connects and says nothing, or reads nothing, is left alone after this.
_SILENCE_S = 5.0

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Page = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class CannotServe(Exception):
    """The address is taken, or not ours; the text says which."""


class _Handler(WSGIRequestHandler):
    timeout = _SILENCE_S

    def log_message(self, *_: object) -> None:
        """A probe every few seconds is no news."""


class _Server(ThreadingWSGIServer):
    def handle_error(self, *_: object) -> None:
        """Somebody hung up: that is theirs to know."""


def serve(
    host: str,
    port: int,
    health: Callable[[], Report],
    ready: Callable[[], Report],
    registry: CollectorRegistry,
) -> str:
    """Answer from now on; give the address. Port 0 is any free one.

    Raises
    ------
    CannotServe : it is not to be had
    """
    app = _pages(
        {"/health": _told(health), "/ready": _told(ready), "/metrics": make_wsgi_app(registry)}
    )
    try:
        server = make_server(host, port, app, _Server, _Handler)
    except OSError as error:
        raise CannotServe(
            f"{host}:{port} (HOUSING_STREAM_HTTP_HOST, HOUSING_STREAM_HTTP_PORT): {error.strerror}"
        ) from None
    threading.Thread(target=server.serve_forever, name="web", daemon=True).start()
    return f"{host}:{server.server_port}"


def _pages(pages: dict[str, Page]) -> Page:
    def app(request: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        page = pages.get(request["PATH_INFO"])
        if request["REQUEST_METHOD"] != "GET":
            return _text(start, "405 Method Not Allowed", "GET is all there is\n")
        if page is None:
            return _text(start, "404 Not Found", f"there are {', '.join(pages)}\n")
        return page(request, start)

    return app


def _told(ask: Callable[[], Report]) -> Page:
    def page(_request: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        report = ask()
        status = "503 Service Unavailable" if report.reasons else "200 OK"
        return _text(start, status, json.dumps(report.body) + "\n", "application/json")

    return page


def _text(
    start: StartResponse, status: str, text: str, kind: str = "text/plain; charset=utf-8"
) -> Iterable[bytes]:
    start(status, [("Content-Type", kind), ("X-Content-Type-Options", "nosniff")])
    return [text.encode()]
