"""A webhook's receiver on the loopback address: really listens, really takes what is posted."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Webhook:
    """What came, in order; answers with `status`, to all or, by `once`, in that order first."""

    port: int = 0
    status: int = 200
    once: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[Message] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/alerts?team=ops"

    def notices(self) -> list[dict[str, Any]]:
        return [notice for body in self.bodies for notice in json.loads(body)["notices"]]


@contextmanager
def receiving() -> Iterator[Webhook]:
    """Listen on a free port until left."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = hook.once.pop(0) if hook.once else hook.status
            if status == 200:  # before it is answered: whoever is told so may look
                hook.bodies.append(body)
                hook.headers.append(self.headers)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = server.server_port
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
