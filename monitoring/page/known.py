"""What the page knows: taken in from the archive as it grows, and kept in memory.

The one module of the page that reads. A refresh takes in what is new and puts another `Known` in
the place of the last one, whole: so a page is made of one state, and no page waits for a file.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from monitoring import chain, frames, rollup_store
from monitoring.alerting import book as books
from monitoring.alerting.book import Book
from monitoring.page.figures import Sums
from monitoring.page.reports import Report
from monitoring.page.reports import read as read_reports
from monitoring.rollup_store import Rollup, Work
from monitoring.windows import Window
from stream_app.contract import requests, wire
from stream_app.contract.alerts import AnyAlertMessage
from stream_app.contract.markets import MARKETS
from stream_app.contract.models import AnyModelMessage, CorrectorAnnounced
from stream_app.contract.requests import Requests
from stream_app.contract.topics import ALERTS, MODELS, full_name

M = TypeVar("M")

REFRESH_S = 10.0  # the archiver publishes every 30 s
TELLING = 20
RATIO = "ratio"  # answered over sold, less 1: computed here
# What is told of a sale, in order; features, which are most of its bytes, stay unread.
TOLD = (
    "sold_ms",
    "listing_id",
    "region",
    "property_type",
    "area_m2",
    "sale_price",
    "price",
    "price_low",
    "price_high",
    RATIO,
    "step",
    "versions_champion",
    "source",
)


class Said(NamedTuple, Generic[M]):
    """A message, and when the broker took it."""

    appended_ms: int
    message: M


class Known(Struct, frozen=True, kw_only=True):
    """One state of what is known."""

    sums: Mapping[str, Sums]  # by market
    archived_ms: Mapping[str, int]
    alerts: Sequence[Said[AnyAlertMessage]]
    models: Sequence[Said[AnyModelMessage]]  # without correctors: there are thousands
    book: Book
    requests: Requests
    reports: Sequence[Report]  # the newest first
    refreshed_ms: int
    fault: str = ""  # why the last attempt took nothing in


class Places(NamedTuple):
    archive: Path
    reports: Path
    prefix: str


class Reader:
    """Takes in what was archived since; `known` is None until the first time is through."""

    def __init__(self, places: Places, now_ms: Callable[[], int]) -> None:
        self.places = places
        self.known: Known | None = None
        self._now_ms = now_ms
        self._rollup = rollup_store.load(places.archive)
        self._alerts: list[Said[AnyAlertMessage]] = []
        self._models: list[Said[AnyModelMessage]] = []
        self._positions: dict[str, int] = {}

    def refresh(self) -> Work:
        """Take in what is new; keep the daily figures if there was anything."""
        root, prefix = self.places.archive, self.places.prefix
        rollup, work = rollup_store.refresh(root, prefix, self._rollup)
        if work.manifests:
            rollup_store.save(root, rollup)
        self._alerts += self._newer(full_name(prefix, ALERTS), wire.decode_alert_message)
        models = self._newer(full_name(prefix, MODELS), wire.decode_model_message)
        self._models += [s for s in models if not isinstance(s.message, CorrectorAnnounced)]
        if self.known is None or work.manifests:
            sums = {m: Sums(rollup_store.days_of(rollup, prefix, m)) for m in MARKETS}
        else:
            sums = dict(self.known.sums)
        self._rollup = rollup
        self.known = self._put_together(sums, rollup)
        return work

    def follow(self, stop: threading.Event) -> None:
        """Refresh until told to stop. What fails is told on the page, and tried again."""
        while not stop.is_set():
            try:
                self.refresh()
            except (OSError, ValueError) as error:
                if self.known is not None:
                    self.known = msgspec.structs.replace(self.known, fault=str(error))
            stop.wait(REFRESH_S)

    def telling(self, market: str, window: Window) -> Sequence[Mapping[str, Any]]:
        """The sales of a window whose prices were farthest off, farthest first."""
        place = self.places.archive, self.places.prefix, market
        sold = frames.outcomes(*place, window, [name for name in TOLD if name != RATIO])
        if sold.empty:
            return ()
        known = sold[sold["price"].notna()].copy()
        known[RATIO] = known["price"] / known["sale_price"] - 1
        known["far"] = (known["price"] / known["sale_price"]).map(_distance)
        farthest = known.nlargest(TELLING, "far").to_dict("records")
        return [{str(name): cell for name, cell in row.items()} for row in farthest]

    def _put_together(self, sums: Mapping[str, Sums], rollup: Rollup) -> Known:
        messages = [said.message for said in self._alerts]
        return Known(
            sums=sums,
            archived_ms=rollup.archived_ms,
            alerts=tuple(self._alerts),
            models=tuple(self._models),
            book=books.of_log(messages),
            requests=requests.of(messages),
            reports=read_reports(self.places.reports),
            refreshed_ms=self._now_ms(),
        )

    def _newer(self, topic: str, decode: Callable[[bytes], M]) -> list[Said[M]]:
        """Messages of a topic that were archived since, in its order; unreadable ones left out."""
        found: list[Said[M]] = []
        for name, manifest in chain.since(self.places.archive, topic, dict(self._positions)):
            for file in manifest.files:
                read = frames.messages(self.places.archive / file.path, decode)
                found += [Said(*each) for each in read]
            self._positions[name] = manifest.next_offset
        return sorted(found, key=lambda said: said.appended_ms)


def _distance(ratio: float) -> float:
    return max(ratio, 1 / ratio) if ratio > 0 else 0.0


def wall_ms() -> int:
    return time.time_ns() // 1_000_000
