"""What a running worker says of itself on its pages: asked until it is there, never assumed."""

import json
from typing import Any

from stream_app.shell import probe
from stream_app.shell.probe import Unwell


def told(port: int, page: str = "/health") -> dict[str, Any]:
    """What a page says, be the worker well or not; empty while nobody answers."""
    try:
        said = probe.ask("127.0.0.1", port, page)
    except Unwell as error:
        said = str(error)
    if said.startswith("nobody answers"):
        return {}
    body: dict[str, Any] = json.loads(said)
    return body


def partitions(port: int) -> dict[str, dict[str, Any]]:
    """By number. It answers before it has any."""
    found: dict[str, dict[str, Any]] = told(port).get("partitions", {})
    return found


def looks(port: int) -> int:
    """How often the watchdog has looked; 0 while nobody answers."""
    return int(told(port).get("looks", 0))
