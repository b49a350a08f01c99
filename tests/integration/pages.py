"""What a running worker says of itself on its pages: asked until it is there, never assumed."""

import json
from typing import Any

from stream_app.shell import probe
from stream_app.shell.probe import Unwell


def text(port: int, page: str) -> str:
    """What a page says, be the worker well or not; empty while nobody answers."""
    try:
        return probe.ask("127.0.0.1", port, page)
    except Unwell as error:
        said = str(error)
    return "" if said.startswith("nobody answers") else said


def told(port: int, page: str = "/health") -> dict[str, Any]:
    """The same of a page in JSON."""
    body: dict[str, Any] = json.loads(text(port, page) or "{}")
    return body


def partitions(port: int) -> dict[str, dict[str, Any]]:
    """By number. It answers before it has any."""
    found: dict[str, dict[str, Any]] = told(port).get("partitions", {})
    return found


def looks(port: int) -> int:
    """How often the watchdog has looked; 0 while nobody answers."""
    return int(told(port).get("looks", 0))
