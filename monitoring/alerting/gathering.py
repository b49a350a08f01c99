"""What conditions are judged by: workers' /metrics, and the newest listings of the archive.

Thin: judged in machines.py and fields.py. Bounded: by time and size of an answer, and by the
number of listings that are read.
"""

import heapq
import http.client
from collections.abc import Iterator
from operator import attrgetter, itemgetter
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from monitoring import chain
from monitoring.alerting import scrapes
from monitoring.alerting.fields import Sent
from monitoring.alerting.scrapes import Scrape, Unreadable
from stream_app.contract.archive import MANIFESTS, ArchiveManifest
from stream_app.contract.topics import EVENTS, full_name

ANSWER_WITHIN_S = 2.0
ANSWER_BYTES_MAX = 5_000_000  # 200 label sets of each counter are some 100 kB


class Silent(Exception):
    """No answer, or none that can be read; the text says which."""


def scrape(address: str, at_s: float) -> Scrape:
    """Ask a worker.

    Raises
    ------
    Silent : it does not answer, or something else does
    """
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=ANSWER_WITHIN_S)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read(ANSWER_BYTES_MAX).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise Silent(f"{address}: {str(error) or type(error).__name__}") from None
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise Silent(f"{address}: answers {answer.status}")
    try:
        return scrapes.read(text, at_s)
    except Unreadable as error:
        raise Silent(f"{address}: {error}") from None


def listings(root: Path, prefix: str, market: str, most: int) -> list[Sent]:
    """The newest listings of a market as they were sent, refused ones too; oldest first."""
    found: list[tuple[int, int, Sent]] = []
    for path in _newest_files(root, full_name(prefix, EVENTS), market):
        if len(found) >= most:
            break
        table = pq.read_table(root / path, columns=["appended_ms", "offset", "value"])
        columns = (table[name].to_pylist() for name in table.column_names)
        for appended_ms, offset, value in zip(*columns, strict=True):
            sent = sent_of(value)
            if sent is not None:
                found.append((appended_ms, offset, sent))
    found.sort(key=itemgetter(0, 1))
    return [sent for _, _, sent in found[-most:]]


def newest_first(root: Path, topic: str) -> Iterator[ArchiveManifest]:
    """Manifests of a topic by the time at which they were made, read as they are asked for.

    A live stream makes thousands a day: who wants the newest must not open them all.
    """
    chains: dict[tuple[Path, str], list[Path]] = {}
    for path in (root / MANIFESTS / topic).glob("*/*.json"):
        chains.setdefault((path.parent, path.name.partition("-")[0]), []).append(path)
    newest = [map(chain.read, sorted(paths, reverse=True)) for paths in chains.values()]
    return heapq.merge(*newest, key=attrgetter("made_ms"), reverse=True)


def _newest_files(root: Path, topic: str, market: str) -> Iterator[str]:
    for manifest in newest_first(root, topic):
        yield from (file.path for file in manifest.files if file.market == market)


def sent_of(value: bytes | None) -> Sent | None:
    """Who sent which fields; None: it is no listing that can be read.

    >>> sent = sent_of(b'{"kind": "listing", "source": "a", "grade": null}')
    >>> sent.publisher, sorted(sent.fields)
    ('a', ['kind', 'source'])
    """
    try:
        said = msgspec.json.decode(value or b"", type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    publisher = said.get("source")
    if said.get("kind") != "listing" or not isinstance(publisher, str):
        return None
    return Sent(publisher, frozenset(name for name, field in said.items() if field is not None))
