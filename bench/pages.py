"""A worker's own page of metrics, read from outside as a scraper does."""

import re
import urllib.request
from collections.abc import Mapping

from demo.programs import Program

_WATCHED = re.compile(r'"message": ?"watched".*?"address": ?"([^"]+)"')


def counted(worker: Program) -> Mapping[str, float]:
    """Every sample by its name and labels; none while the worker is not up yet."""
    where = _WATCHED.search(worker.log.read_text("utf-8", "replace"))
    if where is None:
        return {}
    with urllib.request.urlopen(f"http://{where[1]}/metrics", timeout=10) as page:
        return samples(page.read().decode())


def samples(page: str) -> Mapping[str, float]:
    """Read the text format of Prometheus.

    >>> samples("# HELP up" + chr(10) + "up 1.0")
    {'up': 1.0}
    """
    lines = (line.rpartition(" ") for line in page.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
