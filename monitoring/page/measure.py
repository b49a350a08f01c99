"""How long the page takes to load: `page --measure`. Asks the app as a browser does, over no network.

A browser needs some more to lay it out. What is read of the archive is read before: whoever loads
the page waits for no file, but for the most telling sales of a window.
"""

import logging
import time
from collections.abc import Iterable
from statistics import median

from litestar import Litestar
from litestar.testing import TestClient
from msgspec import Struct

from monitoring.page.known import Reader
from monitoring.page.view import day_of
from stream_app.contract.settings import Secret

TIMES = 5
VIEWS = ("", "?axis=all", "?axis=all&window=365")


class Loaded(Struct, frozen=True):
    """One page."""

    address: str
    median_s: float
    kilobytes: float


class Measured(Struct, frozen=True):
    taken_in_s: float  # what was not known yet of the archive
    looked_s: float  # the look that follows, which finds nothing new
    manifests: int  # of the first
    pages: tuple[Loaded, ...]


def measure(app: Litestar, reader: Reader, token: Secret) -> Measured:
    """Take in the archive, and load each view of each market."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells each request
    began_s = time.perf_counter()
    manifests = reader.refresh().manifests
    taken_in_s = time.perf_counter()
    reader.refresh()
    looked_s = time.perf_counter()
    with TestClient(app, base_url="http://127.0.0.1") as client:
        pages = tuple(_loaded(client, address, token) for address in _addresses(reader))
    return Measured(taken_in_s - began_s, looked_s - taken_in_s, manifests, pages)


def _addresses(reader: Reader) -> Iterable[str]:
    known = reader.known
    for market, sums in ({} if known is None else known.sums).items():
        if sums.axis.days:
            yield from (f"/{market}{view}" for view in VIEWS)
            last = sums.axis.end - 1
            yield f"/telling/{market}?from={day_of(last - 29)}&to={day_of(last)}"


def _loaded(client: "TestClient[Litestar]", address: str, token: Secret) -> Loaded:
    shown = {"Authorization": f"Bearer {token.text}"}
    took_s = []
    for _ in range(TIMES):
        began_s = time.perf_counter()
        answer = client.get(address, headers=shown)
        took_s.append(time.perf_counter() - began_s)
        answer.raise_for_status()
    return Loaded(address, median(took_s), len(answer.content) / 1000)
