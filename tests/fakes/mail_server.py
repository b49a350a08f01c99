"""A mail server on the loopback address: speaks enough SMTP for smtplib, keeps what it takes."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread

_ANSWERS = {b"EHLO": b"250 here", b"MAIL": b"250 ok", b"RCPT": b"250 ok", b"QUIT": b"221 bye"}


@dataclass
class MailServer:
    """What came, in order. `verdict` is what it says of a mail that it has read."""

    port: int = 0
    verdict: bytes = b"250 taken"
    raw: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for raw in self.raw]


@contextmanager
def receiving() -> Iterator[MailServer]:
    """Listen on a free port until left."""
    kept = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say(b"220 here")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self._say(b"354 go on")
                    self._take()
                    self._say(kept.verdict)
                    continue
                if verb == b"RCPT":
                    kept.recipients.append(line.decode().strip().partition(":")[2])
                self._say(_ANSWERS.get(verb, b"502 unknown"))

        def _take(self) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            if kept.verdict.startswith(b"250"):
                kept.raw.append(b"".join(lines))

        def _say(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
